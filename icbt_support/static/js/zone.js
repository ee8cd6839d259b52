// Where this browser's clock stands in another zone than the form says, the choice is opened with that zone in it.
// A form that came back with an error keeps what the person chose.
const here = Intl.DateTimeFormat().resolvedOptions().timeZone
const cameBack = document.querySelector('.nhsuk-error-summary')
for (const part of cameBack ? [] : document.querySelectorAll('[data-browser-zone]')) {
  const select = part.querySelector('select')
  if (select.value === here || ![...select.options].some((option) => option.value === here)) continue
  select.value = here
  part.closest('details').open = true
}
