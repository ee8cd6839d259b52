// Progressive enhancement only: every page works if none of this loads.
// The version in the address keeps a year's cache honest; change it together with the file.
import { initAll } from './nhsuk-frontend.min.js?v=10.6.1'

document.body.classList.add('js-enabled', 'nhsuk-frontend-supported')
initAll()
