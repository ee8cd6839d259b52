"""The one list of tables: importing this module imports every `models` module."""

from icbt_support.accounts import models as accounts
from icbt_support.activity import models as activity
from icbt_support.audit import models as audit
from icbt_support.boosters import models as boosters
from icbt_support.contacts import models as contacts
from icbt_support.db import Base
from icbt_support.delivery import models as delivery
from icbt_support.demo import models as demo
from icbt_support.early_warning import models as early_warning
from icbt_support.engagement import models as engagement
from icbt_support.enrolments import models as enrolments
from icbt_support.feedback import models as feedback
from icbt_support.hours import models as hours
from icbt_support.implementation import models as implementation
from icbt_support.job_log import models as job_log
from icbt_support.journal import models as journal
from icbt_support.measures import models as measures
from icbt_support.messages import models as messages
from icbt_support.patient_groups import models as patient_groups
from icbt_support.phrases import models as phrases
from icbt_support.plan import models as plan
from icbt_support.reminders import models as reminders
from icbt_support.reviews import models as reviews
from icbt_support.risk import models as risk
from icbt_support.service import models as service
from icbt_support.supervision import models as supervision

MODULES = (
    audit,
    activity,
    reminders,
    delivery,
    service,
    accounts,
    hours,
    enrolments,
    risk,
    measures,
    messages,
    journal,
    phrases,
    plan,
    reviews,
    boosters,
    contacts,
    patient_groups,
    early_warning,
    engagement,
    feedback,
    implementation,
    supervision,
    job_log,
    demo,
)
METADATA = Base.metadata
