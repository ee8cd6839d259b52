from icbt_support import clock
from tests.conftest import THURSDAY
from tests.pages.supporter.course import *
def test_smoke(cast, client):
    course = start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    client.sign_in(cast.supporter)
    for path in ["/supporting/today","/supporting/caseload",f"/supporting/patients/{cast.enrolment.id}",f"/supporting/reviews/{course.review.id}"]:
        r = client.get(path)
        print(path, r.status_code)
        assert r.status_code==200, r.get_data(as_text=True)[:3000]
