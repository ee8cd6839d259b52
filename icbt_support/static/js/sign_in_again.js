// Asks for the password in place when a sign-in ran out while somebody wrote. A form sends `signed-out`; after signing
// in, every token in the page is new and the document says `signed-in`. Only the person whose words they are gets in.
const ADDRESS = '/sign-in/again'

const element = (kind, values = {}, ...children) => {
  const made = document.createElement(kind)
  for (const [name, value] of Object.entries(values)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

const field = (id, words, values) => element('div', { class: 'nhsuk-form-group' },
  element('label', { class: 'nhsuk-label', for: id }, words),
  element('input', { class: 'nhsuk-input', id, required: '', ...values })
)

class SignInAgain {
  constructor (who) {
    this.who = who
    this.problem = element('p', { class: 'nhsuk-error-message', role: 'alert' })
    this.form = element('form', { method: 'post', action: ADDRESS },
      this.problem,
      field('again-email', 'Email address', { name: 'email', type: 'email', autocomplete: 'username' }),
      field('again-password', 'Password', { name: 'password', type: 'password', autocomplete: 'current-password' }),
      element('button', { class: 'nhsuk-button', type: 'submit' }, 'Sign in'),
      ' ',
      element('button', { class: 'link-button', type: 'button', 'data-close': '' }, 'Not now')
    )
    this.dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'again-heading' },
      element('h2', { class: 'nhsuk-heading-m', id: 'again-heading' }, 'Sign in again to go on'),
      element('p', {}, 'You were signed out because of the time. Your words are still here, and are saved when you are back.'),
      this.form
    )
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.signIn() })
    this.form.querySelector('[data-close]').addEventListener('click', () => this.dialog.close())
    document.body.append(this.dialog)
  }

  // Somebody may have signed in in another tab: then nothing is asked.
  async open () {
    if (this.dialog.open) return
    this.problem.textContent = ''
    try {
      const { who, token } = await this.fetch()
      if (who === this.who) return this.goOn(token)
      if (who) this.problem.textContent = 'Somebody else is signed in in this browser now. Sign in as yourself to save your words.'
    } catch {
      return
    }
    this.dialog.showModal()
  }

  async signIn () {
    this.problem.textContent = ''
    const values = new URLSearchParams(new FormData(this.form))
    values.set('who', this.who)
    try {
      const { token } = await this.fetch()
      values.set('csrf_token', token)
      const answer = await this.fetch({ method: 'POST', body: values, headers: { 'X-CSRFToken': token } })
      if (answer.error) this.problem.textContent = answer.error
      else this.goOn(answer.token)
    } catch {
      this.problem.textContent = 'There is no connection. Try again in a moment'
    }
  }

  async fetch (values = {}) {
    const response = await fetch(ADDRESS, { credentials: 'same-origin', redirect: 'error', ...values })
    return response.json()
  }

  goOn (token) {
    for (const input of document.querySelectorAll('input[name=csrf_token]')) input.value = token
    this.form.reset()
    this.dialog.close()
    document.dispatchEvent(new CustomEvent('signed-in'))
  }
}

let asked = null
document.addEventListener('signed-out', (event) => {
  asked ??= new SignInAgain(event.target.dataset.keepWho ?? '')
  asked.open()
})
