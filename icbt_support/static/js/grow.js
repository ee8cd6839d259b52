// Boxes for longer words grow with what is written; without script the rows attribute holds.
const grow = (box) => {
  box.style.height = '0'
  box.style.height = `${box.scrollHeight + 2}px`
}

for (const box of document.querySelectorAll('textarea.letter__text, textarea[data-grow]')) {
  const resize = () => grow(box)
  resize()
  box.addEventListener('input', resize)
  window.addEventListener('resize', resize)
  document.fonts?.ready.then(resize)
}
