// Progressive enhancement only: every page works if none of this loads.
// The version in the address keeps a year's cache honest; change it together with the file.
import { initAll } from './nhsuk-frontend.min.js?v=10.6.1'

document.body.classList.add('js-enabled', 'nhsuk-frontend-supported')
initAll()

// On a phone the staff's navigation is wider than the screen: where one is must be in sight.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
