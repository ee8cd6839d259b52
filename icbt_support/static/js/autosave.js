// Saves a form while somebody writes: <form data-autosave-url="…"> with an element [data-autosave-state] in the page.
// Words that could not be saved stay in the page (and in this browser, see keep.js), and are tried again.
// 401 or 400: signed out; sign_in_again.js asks in place. 409: saved somewhere else first; the answer says where both
// texts stand side by side. 404: it is somebody else's by now, and nothing more can be saved here.
const PAUSE_BEFORE_SAVING = 1500
const PAUSES_BEFORE_TRYING_AGAIN = [3000, 6000, 12000]
const MOST_QUESTIONS = 3
const LONGEST_WAIT_BEFORE_LEAVING = 5000
// What a form carries beside words: two forms with the same words need no choice.
const NOT_WORDS = ['csrf_token', 'version', 'opened_at', 'worked_seconds', 'minutes']

const clockTime = (moment) => {
  const minutes = moment.getMinutes() ? `.${String(moment.getMinutes()).padStart(2, '0')}` : ''
  return `${moment.getHours() % 12 || 12}${minutes}${moment.getHours() < 12 ? 'am' : 'pm'}`
}

class SignedOut extends Error {}
class GivenAway extends Error {}

class Autosave {
  constructor (form) {
    this.form = form
    this.timer = null
    this.failures = 0
    this.isSaving = false
    this.isStopped = false
    this.isLeaving = false
    this.saved = this.words()
    document.addEventListener('input', (event) => this.onChange(event))
    document.addEventListener('change', (event) => this.onChange(event))
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.save() })
    document.addEventListener('signed-in', () => this.save())
    window.addEventListener('online', () => this.save())
    form.addEventListener('kept', (event) => this.onKept(event.detail))
    form.addEventListener('submit', (event) => this.onSubmit(event))
  }

  words () {
    return new URLSearchParams(new FormData(this.form)).toString()
  }

  get isKept () {
    return this.form.dataset.keeps !== undefined
  }

  onChange (event) {
    if (event.target.form === this.form) this.saveAfter(PAUSE_BEFORE_SAVING)
  }

  saveAfter (milliseconds) {
    if (this.isStopped) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.save(), milliseconds)
  }

  async save () {
    const words = this.words()
    if (this.isStopped || this.isSaving || words === this.saved) return
    this.isSaving = true
    this.say('Saving')
    this.saving = this.send(words)
    await this.saving
    this.isSaving = false
    if (!this.failures && this.words() !== this.saved) this.saveAfter(PAUSE_BEFORE_SAVING)
  }

  async send (words) {
    try {
      const response = await this.post(words)
      if (response.status === 409) this.onConflict((await response.json()).merge)
      else this.onSaved(words, await this.answer(response))
    } catch (problem) {
      this.onFailure(problem)
    }
  }

  // A save that is on its way gives the letter a new version: the form goes once it knows that one.
  async onSubmit (event) {
    clearTimeout(this.timer)
    if (!this.isSaving || this.isStopped) {
      this.isStopped = true
      return
    }
    event.preventDefault()
    event.stopImmediatePropagation()
    if (this.isLeaving) return
    this.isLeaving = true
    const { submitter } = event
    await Promise.race([this.saving, new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_BEFORE_LEAVING))])
    this.isStopped = true
    this.form.requestSubmit(submitter)
  }

  async post (words) {
    const body = this.isKept ? `${words}&kept_in_browser=1` : words
    const response = await fetch(this.form.dataset.autosaveUrl, {
      method: 'POST',
      body,
      credentials: 'same-origin',
      redirect: 'error',
      keepalive: body.length < 60000,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'X-CSRFToken': this.form.querySelector('[name=csrf_token]')?.value ?? '',
        Accept: 'application/json'
      }
    })
    if (response.status === 401 || response.status === 400) throw new SignedOut()
    if (response.status === 404) throw new GivenAway()
    if (!response.ok && response.status !== 409) throw new Error(String(response.status))
    return response
  }

  async answer (response) {
    const isJson = (response.headers.get('Content-Type') ?? '').includes('json')
    return isJson ? response.json() : {}
  }

  onSaved (words, answer) {
    this.failures = 0
    this.saved = words
    const version = this.form.querySelector('[name=version]')
    if (version && answer.version !== undefined) {
      version.value = answer.version
      const kept = new URLSearchParams(words)
      kept.set('version', answer.version)
      this.saved = kept.toString()
    }
    this.say(`Saved ${answer.saved ?? clockTime(new Date())}`)
    if (this.words() === this.saved) this.form.dispatchEvent(new CustomEvent('saved'))
  }

  onFailure (problem) {
    const pause = PAUSES_BEFORE_TRYING_AGAIN[Math.min(this.failures, PAUSES_BEFORE_TRYING_AGAIN.length - 1)]
    this.failures += 1
    if (problem instanceof GivenAway) return this.onGivenAway()
    if (problem instanceof SignedOut && this.failures <= MOST_QUESTIONS) return this.onSignedOut()
    this.say(this.wordsOfFailure(problem))
    this.saveAfter(pause)
  }

  wordsOfFailure (problem) {
    const isAway = problem instanceof TypeError
    const where = this.isKept ? 'kept in this browser' : 'still on this page: leave it open'
    if (isAway) return `No connection. Your words are ${where} and will be saved when it is back`
    return `Not saved yet. Your words are ${where}, and saving is tried again`
  }

  onSignedOut () {
    const again = document.createElement('button')
    again.type = 'button'
    again.className = 'link-button'
    again.textContent = 'Sign in again'
    again.addEventListener('click', () => this.askToSignIn())
    this.say('Not saved: you are signed out. Your words are still here. ', again)
    this.askToSignIn()
  }

  askToSignIn () {
    this.form.dispatchEvent(new CustomEvent('signed-out', { bubbles: true }))
  }

  onGivenAway () {
    this.isStopped = true
    this.say('This is with a colleague now, so nothing more is saved here. What you typed last is still on this ' +
      'page: copy what you want to pass on')
  }

  onConflict (merge) {
    this.isStopped = true
    this.form.dispatchEvent(new CustomEvent('saved'))
    const link = document.createElement('a')
    link.href = merge ?? location.href
    link.textContent = 'Compare the two and choose'
    this.say('This letter was changed somewhere else. Both texts are kept. ', link)
  }

  // What an earlier page could not save: saved now, or put beside the newer text.
  async onKept ({ fields, done }) {
    if (this.holds(new URLSearchParams(fields))) return done()
    const token = this.form.querySelector('[name=csrf_token]')?.value ?? ''
    try {
      const response = await this.post(`${fields}&csrf_token=${encodeURIComponent(token)}`)
      const answer = await this.answer(response)
      await done()
      if (this.words() !== this.saved) return
      if (response.status === 409) location.assign(answer.merge)
      else location.reload()
    } catch {
      this.say('Words from before are kept in this browser. They are saved when you open this page again')
    }
  }

  holds (fields) {
    const here = new FormData(this.form)
    for (const name of NOT_WORDS) fields.delete(name)
    return [...fields].every(([name, value]) => here.get(name) === value)
  }

  say (...parts) {
    document.querySelector('[data-autosave-state]')?.replaceChildren(...parts)
  }
}

for (const form of document.querySelectorAll('form[data-autosave-url]')) new Autosave(form)
