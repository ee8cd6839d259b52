// Asks before somebody leaves words behind: <form data-warn-unsaved>. Sending the form, or an autosave, clears it.
for (const form of document.querySelectorAll('form[data-warn-unsaved]')) {
  let hasUnsavedWords = false
  document.addEventListener('input', (event) => { if (event.target.form === form) hasUnsavedWords = true })
  form.addEventListener('saved', () => { hasUnsavedWords = false })
  form.addEventListener('submit', () => { hasUnsavedWords = false })
  window.addEventListener('beforeunload', (event) => { if (hasUnsavedWords) event.preventDefault() })
}
