// Saves a form while somebody writes: <form data-autosave-url="…"> with an element [data-autosave-state] in the page.
// Words that could not be saved stay in the page, and are tried again. 409 means: saved somewhere else first.
const PAUSE_BEFORE_SAVING = 1500
const PAUSES_BEFORE_TRYING_AGAIN = [4000, 10000, 30000]

const clockTime = (moment) => {
  const minutes = moment.getMinutes() ? `.${String(moment.getMinutes()).padStart(2, '0')}` : ''
  return `${moment.getHours() % 12 || 12}${minutes}${moment.getHours() < 12 ? 'am' : 'pm'}`
}

class Autosave {
  constructor (form) {
    this.form = form
    this.timer = null
    this.failures = 0
    this.isSaving = false
    this.isStopped = false
    this.saved = this.words()
    document.addEventListener('input', (event) => this.onChange(event))
    document.addEventListener('change', (event) => this.onChange(event))
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.save() })
    window.addEventListener('online', () => this.save())
    form.addEventListener('submit', () => { clearTimeout(this.timer); this.isStopped = true })
  }

  words () {
    return new URLSearchParams(new FormData(this.form)).toString()
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
    try {
      await this.send(words)
    } catch {
      this.onFailure()
    }
    this.isSaving = false
    if (!this.failures && this.words() !== this.saved) this.saveAfter(PAUSE_BEFORE_SAVING)
  }

  async send (words) {
    const response = await fetch(this.form.dataset.autosaveUrl, {
      method: 'POST',
      body: words,
      credentials: 'same-origin',
      redirect: 'error',
      keepalive: words.length < 60000,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        'X-CSRFToken': this.form.querySelector('[name=csrf_token]')?.value ?? '',
        Accept: 'application/json'
      }
    })
    if (response.status === 409) return this.onConflict()
    if (!response.ok) throw new Error(String(response.status))
    const isJson = (response.headers.get('Content-Type') ?? '').includes('json')
    this.onSaved(words, isJson ? await response.json() : {})
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

  onFailure () {
    const pause = PAUSES_BEFORE_TRYING_AGAIN[Math.min(this.failures, PAUSES_BEFORE_TRYING_AGAIN.length - 1)]
    this.failures += 1
    this.say('Not saved. Your words are still here')
    this.saveAfter(pause)
  }

  onConflict () {
    this.isStopped = true
    const link = document.createElement('a')
    link.href = location.href
    link.textContent = 'Load the page again'
    this.say('Not saved: it was changed somewhere else. Copy your words first. ', link)
  }

  say (...parts) {
    document.querySelector('[data-autosave-state]')?.replaceChildren(...parts)
  }
}

for (const form of document.querySelectorAll('form[data-autosave-url]')) new Autosave(form)
