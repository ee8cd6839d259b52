// Counts the minutes in which somebody works on a letter: <div data-timer> with [data-timer-words] and a button
// [data-timer-button], beside the fields `worked_seconds` (hidden) and `minutes` of the same form. It stands still when
// the page is hidden, after two minutes without a key or a pointer, and when it is stopped. A number typed by hand stays.
const STEP_SECONDS = 5
const QUIET_SECONDS = 120
const SIGNS_OF_WORK = ['keydown', 'pointerdown', 'pointermove', 'scroll', 'input']

class Timer {
  constructor (place) {
    this.form = document.getElementById(place.dataset.timer)
    this.words = place.querySelector('[data-timer-words]')
    this.button = place.querySelector('[data-timer-button]')
    this.seconds = this.form.elements.worked_seconds
    this.minutes = this.form.elements.minutes
    this.counted = Number(this.seconds.value) || 0
    this.lastSign = Date.now()
    this.isStopped = false
    this.isTyped = this.minutes.value !== '' && this.minutes.value !== this.whole()
    this.minutes.addEventListener('input', () => { this.isTyped = this.minutes.value !== '' })
    for (const name of SIGNS_OF_WORK) {
      document.addEventListener(name, () => { this.lastSign = Date.now() }, { passive: true, capture: true })
    }
    this.button.addEventListener('click', () => { this.isStopped = !this.isStopped; this.draw() })
    setInterval(() => this.count(), STEP_SECONDS * 1000)
    place.hidden = false
    this.draw()
  }

  whole () {
    return String(Math.floor(this.counted / 60))
  }

  count () {
    const isQuiet = Date.now() - this.lastSign > QUIET_SECONDS * 1000
    if (this.isStopped || document.hidden || isQuiet) return
    this.counted += STEP_SECONDS
    if (this.counted % 60 === 0) this.note()
    this.draw()
  }

  // Saved with the draft, minute by minute; a letter that nobody began does not become a draft by being read.
  note () {
    this.seconds.value = String(this.counted)
    if (!this.isTyped) this.minutes.value = this.whole()
    if (this.form.elements.version.value) this.seconds.dispatchEvent(new Event('change', { bubbles: true }))
  }

  draw () {
    this.words.textContent = `${this.whole()} min${this.isStopped ? ', stopped' : ''}`
    this.button.textContent = this.isStopped ? 'Go on counting' : 'Stop counting'
  }
}

for (const place of document.querySelectorAll('[data-timer]')) new Timer(place)
