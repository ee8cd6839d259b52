// Draws a part of the page again as somebody chooses: <form data-redraw-url="…">, controls with data-redraw, and
// <div id="…" data-redraw-target>. The answer is HTML that holds elements with the same ids.
// XMLHttpRequest parses the answer into a document by itself, so no text is ever turned into markup here.
const PAUSE_BEFORE_DRAWING = 250

const fetchDocument = (form, signal) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest()
  request.open('POST', form.dataset.redrawUrl)
  request.responseType = 'document'
  request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded')
  request.setRequestHeader('X-CSRFToken', form.querySelector('[name=csrf_token]')?.value ?? '')
  request.onload = () => request.status === 200 && request.response ? resolve(request.response) : reject(request.status)
  request.onerror = () => reject(request.status)
  signal.addEventListener('abort', () => request.abort())
  request.send(new URLSearchParams(new FormData(form)).toString())
})

const redraw = async (form, signal) => {
  const targets = [...document.querySelectorAll('[data-redraw-target]')]
  for (const target of targets) target.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetchDocument(form, signal)
    for (const target of targets) {
      const fresh = answer.getElementById(target.id)
      if (fresh) target.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)))
    }
  } catch {
    // The picture stays as it was; sending the form draws it again.
  }
  for (const target of targets) target.removeAttribute('aria-busy')
}

for (const form of document.querySelectorAll('form[data-redraw-url]')) {
  let timer = null
  let drawing = new AbortController()
  const onChange = (event) => {
    if (event.target.form !== form || !event.target.hasAttribute('data-redraw')) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      drawing.abort()
      drawing = new AbortController()
      redraw(form, drawing.signal)
    }, PAUSE_BEFORE_DRAWING)
  }
  document.addEventListener('change', onChange)
  document.addEventListener('input', onChange)
}
