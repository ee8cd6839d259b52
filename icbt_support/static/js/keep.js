// Keeps what somebody types until it is saved: <form data-keep="place" data-keep-key="…" data-keep-who="…">.
// The texts lie encrypted in IndexedDB. Their key comes with the page, to nobody but the person who wrote them,
// and is never stored here; signing out wipes the whole store (Clear-Site-Data).
// A form with autosave gets the event `kept` with what an earlier page could not save; any other form gets its words
// back. The event `saved` on the form ends the keeping.
const PAUSE_BEFORE_KEEPING = 400
const DAYS_KEPT = 14
const NOT_KEPT = ['csrf_token']
const SUBMITTED = 'keep-submitted'
const TELLS_ONLY = 'not_safe' // This button tells somebody, and saves no form.
const SIGN_OUT_WORDS = 'Words of yours could not be saved yet and are kept in this browser. ' +
  'Signing out removes them. Sign out now?'

const canKeep = Boolean(window.crypto?.subtle && window.indexedDB && navigator.locks)

const answerOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

const openStore = async () => {
  const request = indexedDB.open('kept-words', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('texts', { keyPath: 'name' })
  return answerOf(request)
}

const withStore = async (mode, act) => {
  const database = await openStore()
  try {
    return await answerOf(act(database.transaction('texts', mode).objectStore('texts')))
  } finally {
    database.close()
  }
}

const everyRecord = () => withStore('readonly', (store) => store.getAll())
const forget = (name) => withStore('readwrite', (store) => store.delete(name))

const isHeld = async (name) => (await navigator.locks.query()).held.some((lock) => lock.name === name)

class Keeper {
  constructor (form) {
    this.form = form
    this.place = form.dataset.keep
    this.name = `${this.place}.${crypto.randomUUID()}`
    this.timer = null
    this.work = Promise.resolve()
    this.key = crypto.subtle.importKey(
      'raw', Uint8Array.from(atob(form.dataset.keepKey), (one) => one.charCodeAt(0)), 'AES-GCM', false, ['encrypt', 'decrypt']
    )
    navigator.locks.request(this.name, () => new Promise(() => {}))
    document.addEventListener('input', (event) => this.onChange(event))
    document.addEventListener('change', (event) => this.onChange(event))
    window.addEventListener('pagehide', () => this.keepNow())
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.keepNow() })
    form.addEventListener('saved', () => this.end())
    document.addEventListener('submit', (event) => { if (event.target === form) this.onSubmit(event) }, { capture: true })
    form.dataset.keeps = ''
    this.work = this.giveBack()
  }

  onChange (event) {
    if (event.target.form !== this.form) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.keepNow(), PAUSE_BEFORE_KEEPING)
  }

  keepNow () {
    if (this.timer === null) return
    clearTimeout(this.timer)
    this.timer = null
    const fields = new URLSearchParams(new FormData(this.form))
    for (const name of NOT_KEPT) fields.delete(name)
    this.then(() => this.put(fields.toString()))
  }

  then (act) {
    this.work = this.work.then(act).catch(() => { delete this.form.dataset.keeps })
  }

  async put (fields) {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const text = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await this.key, new TextEncoder().encode(fields))
    const record = { name: this.name, who: this.form.dataset.keepWho, at: Date.now(), iv, text }
    await withStore('readwrite', (store) => store.put(record))
  }

  async read (record) {
    const algorithm = { name: 'AES-GCM', iv: record.iv }
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, await this.key, record.text))
  }

  end () {
    clearTimeout(this.timer)
    this.timer = null
    this.then(() => forget(this.name))
  }

  onSubmit (event) {
    if (navigator.onLine) {
      this.keepNow()
      if (event.submitter?.name === TELLS_ONLY) return
      sessionStorage.setItem(SUBMITTED, this.name)
      return
    }
    event.preventDefault()
    event.stopImmediatePropagation()
    this.say('No connection. Your words are kept in this browser. Try again when it is back')
  }

  async giveBack () {
    for (const record of await everyRecord()) {
      if (!record.name.startsWith(`${this.place}.`) || record.name === this.name || await isHeld(record.name)) continue
      const fields = await this.read(record)
      const done = () => forget(record.name)
      if (this.form.dataset.autosaveUrl) {
        this.form.dispatchEvent(new CustomEvent('kept', { detail: { fields, done } }))
      } else {
        this.putBack(new URLSearchParams(fields))
        await this.put(fields)
        await done()
      }
    }
  }

  putBack (fields) {
    let isChanged = false
    for (const control of this.form.elements) {
      if (!control.name || control.type === 'hidden' || !fields.has(control.name)) continue
      const values = fields.getAll(control.name)
      if (control.type === 'checkbox' || control.type === 'radio') {
        control.checked = values.includes(control.value)
      } else if (control.value !== values[0]) {
        isChanged = true
        control.value = values[0]
        control.dispatchEvent(new Event('input', { bubbles: true }))
      }
    }
    if (isChanged) this.say('Put back from before. ', this.clearButton())
  }

  clearButton () {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'link-button'
    button.textContent = 'Clear it'
    button.addEventListener('click', () => {
      this.form.reset()
      this.end()
      this.say('')
      this.form.querySelector('textarea, input:not([type=hidden])')?.focus()
    })
    return button
  }

  say (...parts) {
    let line = document.querySelector(this.form.dataset.autosaveUrl ? '[data-autosave-state]' : '[data-keep-state]')
    if (!line) {
      line = document.createElement('p')
      line.className = 'meta'
      line.setAttribute('role', 'status')
      line.setAttribute('data-keep-state', '')
      this.form.prepend(line)
    }
    line.replaceChildren(...parts)
  }
}

// The page that answers a form has its words, unless it is an error page or asks to sign in.
const forgetWhatWasTaken = async () => {
  const name = sessionStorage.getItem(SUBMITTED)
  if (name === null) return
  sessionStorage.removeItem(SUBMITTED)
  const [arrival] = performance.getEntriesByType('navigation')
  const status = arrival?.responseStatus ?? 0
  const isTaken = (status >= 200 && status < 400) || status === 409
  if (isTaken && !location.pathname.startsWith('/sign-in')) await forget(name)
}

const forgetOldOnes = async () => {
  const oldest = Date.now() - DAYS_KEPT * 86400000
  for (const record of await everyRecord()) if (record.at < oldest) await forget(record.name)
}

const askBeforeSigningOut = (form) => {
  form.addEventListener('submit', async (event) => {
    if (form.dataset.isSure !== undefined) return
    event.preventDefault()
    let mine = []
    try {
      const { who } = await (await fetch('/sign-in/again', { headers: { Accept: 'application/json' } })).json()
      mine = (await everyRecord()).filter((record) => record.who === who)
    } catch {
      // Without an answer nothing is known of words that would go: the browser signs out as it was told.
    }
    if (mine.length && !window.confirm(SIGN_OUT_WORDS)) return
    form.dataset.isSure = ''
    form.requestSubmit()
  })
}

if (canKeep) {
  try {
    await forgetWhatWasTaken()
    await forgetOldOnes()
    for (const form of document.querySelectorAll('form[data-keep]')) new Keeper(form)
    for (const form of document.querySelectorAll('form[action="/sign-out"]')) askBeforeSigningOut(form)
  } catch {
    // A browser that keeps nothing (private windows of some): the page works without it.
  }
}
