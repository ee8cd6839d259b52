"""What the invented people write: letters, steps, entries and messages."""

from dataclasses import dataclass
from random import Random
from typing import Any

from icbt_support.programme.content import Exercise, ExerciseKind, Measure, Tool
from icbt_support.reviews.rules import LetterSection


@dataclass(frozen=True)
class Step:
    """A next step: what, why it helps, and how many days the person has for it."""

    what: str
    why: str
    days: int


STEPS = {
    "getting-started": (
        Step("Write one line in the mood diary each evening", "small notes show what lifts your mood", 4),
        Step("Tell one person that you have started this", "things are easier when somebody knows", 3),
    ),
    "understanding-low-mood": (
        Step("Get up at the same time on four days", "a small change in one part slows the whole circle", 5),
        Step(
            "Phone somebody you like for five minutes", "a small change in one part slows the whole circle", 4
        ),
    ),
    "doing-more": (
        Step("Take one short walk", "doing comes before feeling like it", 3),
        Step("Cook one meal that you like", "doing comes before feeling like it", 4),
        Step("Sit outside with a cup of tea", "small steps are the ones that happen", 3),
    ),
    "noticing-thoughts": (
        Step(
            "Tell one person about a thought that came back", "said aloud, a thought is easier to look at", 4
        ),
        Step("Keep the one activity that helped most", "what helped once can help again", 5),
    ),
    "testing-thoughts": (
        Step("Say one kind thing to yourself each morning", "a kind friend would say it too", 4),
        Step("Ask one friend how they see it", "fair thoughts come from both sides", 4),
    ),
    "managing-worry": (
        Step("Put your phone away at ten on three nights", "a quiet hour gives worries less to feed on", 4),
        Step("Ask one person about what worries you", "a worry is smaller when two people look at it", 4),
    ),
    "solving-problems": (
        Step("Ring about the letter that you put off", "a small try shows more than a long think", 4),
        Step("Ask for help with one thing", "two people find more ideas than one", 5),
    ),
    "keeping-well": (
        Step("Write your early signs down", "signs are easier to act on while they are small", 5),
        Step("Show your staying-well plan to somebody you trust", "two people remember better than one", 6),
    ),
}
QUIET_STEP = Step(
    "Spend ten minutes on one page", "ten minutes is enough to start again from where you are", 4
)

NOTICED_ACTIVE = (
    "You kept {kept} of the {planned} sessions that you had planned. In a week like yours, that took doing.",
    "You did what you had planned on {kept} of {planned} days. That makes it easy to see what helps.",
    "I read your notes. On days with something small in them, your mood was a little higher afterwards.",
    "You came back to the course even though the week was busy. Coming back is the part that counts.",
)
NOTICED_QUIET = (
    "It was a quiet week here, and that is fine. Life gets in the way for everybody.",
    "You did not get to much this week. It is fine to come back. We start where you are.",
)
GOT_IN_THE_WAY = "What got in the way? If you can say it in a line, we can plan around it."
QUESTION_ANSWERS = (
    "You asked if you are doing this right. You are. There is no other way than the one that you tried.",
    "Thank you for asking. Most people find that part hard at first. Try it once more with something small.",
    "Good question. Begin with the facts that support the thought, and then look at the others.",
)
LAST_WORDS = (
    "This is my last letter. You began by writing down one line a day, and you end with a plan of your own. "
    "Keep the two or three things that helped you most, and look at your early signs now and then."
)
WELCOMES = (
    "Hello {called}. I am {supporter}, your supporter. I write to you once a week. "
    "I can see what you plan, what you answer and what you share, and not your private entries. "
    "Nobody reads messages straight away. In an emergency, use Get help now.",
    "Welcome, {called}. My name is {supporter}. Each week you get a letter, and we agree one small step. "
    "I see your answers and what you choose to share. Take your time with the first screens.",
)
QUIET_NOTE = (
    "Hello {called}. I have not seen you here for a while, and wanted to say that it is fine to come back. "
    "We start where you are. If something is in the way, a line is enough."
)
REPLIES = (
    "Thank you for writing. I have read it, and will answer properly in my review.",
    "Thank you, that helps me to understand the week. More in my letter.",
)
MESSAGES = (
    "The second page took me a while but it made sense in the end.",
    "I could not do Saturday because my daughter was ill. I moved it.",
    "I told my brother about this. He was kind about it.",
    "Work has been a lot. I did the short bits.",
    "I did the walk. It rained, and I was glad that I had gone.",
)
QUESTIONS = (
    "Is it normal that I feel worse before I start and better after?",
    "What do I do if I cannot find a fact against the thought?",
    "Does it count if I only do half of what I planned?",
    "Should I write the diary in the evening or straight away?",
)
DOINGS = (
    "Bus to work, listened to music",
    "Made soup",
    "Walked to the canal",
    "Stayed in bed until eleven",
    "Rang my sister",
    "Tidied one shelf",
    "Lunch with Jo from work",
    "Watched the rain with a cup of tea",
    "Did the shopping",
    "Took the long way home",
)
PLANS = (
    "Walk to the park and back",
    "Cook a proper meal",
    "Phone a friend",
    "Go to the library",
    "Ten minutes in the garden",
    "Swim on Saturday morning",
    "Write back to Auntie",
)
WHO = ("Alone", "My sister", "A friend", "My partner", "Somebody from work")
THOUGHTS = (
    ("My manager walked past without a word", "She thinks that I am useless"),
    ("A friend did not answer my message", "Nobody wants to hear from me"),
    ("I burned the rice", "I cannot do anything right"),
    ("I woke up at four", "Tomorrow will be ruined"),
)
WORRIES = (
    "That they will cut my hours",
    "That the rent goes up",
    "What the doctor will say",
    "That I said it wrong",
)
OWN_WORDS = (
    "I noticed it on the bus. I felt heavy, and then I did not get off at the shops.",
    "Mornings are hardest. After I have done one thing it gets a bit better.",
    "I think I go quiet when I am tired.",
    "It helped to write it down, even though it was short.",
    "Sundays alone. I start to go over old things.",
)
# What fits a question that these would not answer; the same throw of the dice picks from either.
OWN_WORDS_FOR = {
    "what-brought-you": ("My sister said that it helped her.", "I want to sleep and to laugh again."),
    "my-goal": (
        "Cook with somebody once a week.",
        "Walk before work on two days.",
        "Ring my sister on Sundays.",
    ),
    "what-might-help": ("One page, with a cup of tea.", "Sitting by the window."),
    "small-moment": (
        "Tuesday on the bus, after a message that I did not answer.",
        "Sunday at four, on the sofa.",
    ),
    "my-circle": (
        "I am no use. Sad. Heavy. I stay in.",
        "They do not want me there. Low. Tired. I do not reply.",
    ),
    "first-change": ("Open the curtains.", "Send a thumbs up."),
    "let-go-of": ("Swimming on Wednesdays.", "Cooking, and having people round."),
    "once-i-started": ("A shower on Saturday.", "The first five minutes of a walk."),
    "smaller-step": ("Put my shoes by the door.", "Clear one chair."),
    "my-plan": ("Saturday 10.30am, to the canal and back.",),
    "low-day-three": ("Water. Curtains. One message to Jo.",),
    "quick-thought": ("I have let them down again.", "It will go wrong."),
    "thought-to-test": ("They think I am boring.", "I will never get this right."),
}


def sections(*parts: tuple[str, str]) -> tuple[LetterSection, ...]:
    return tuple(LetterSection(heading, words) for heading, words in parts if words)


def words_about_scores(measure: Measure, totals: list[int]) -> str:
    """The newest score in words, number, range and meaning; nothing to say with fewer than two."""
    if len(totals) < 2:
        return ""
    first, newest = totals[0], totals[-1]
    band = measure.band_of(newest).label
    moved = f"That is a change of {abs(first - newest)}" if first != newest else "That is the same"
    return (
        f"Your low mood score was {first} out of {measure.maximum} when we started and is {newest} now. "
        f"{moved}, and it is in the {band} range."
    )


def exercise_words(exercise: Exercise, random: Random) -> str:
    if exercise.kind is ExerciseKind.CHOICE:
        return random.choice(exercise.choices)
    if exercise.kind is ExerciseKind.SCALE:
        return str(random.randint(2, 7))
    thrown = random.randrange(len(OWN_WORDS))
    fitting = OWN_WORDS_FOR.get(exercise.key, OWN_WORDS)
    return fitting[thrown % len(fitting)]


def entry_fields(tool: Tool, random: Random) -> dict[str, Any]:
    """Believable fields for one of the programme's tools; only those that the tool has."""
    before = random.randint(2, 5)
    situation, thought = random.choice(THOUGHTS)
    strong = random.randrange(60, 95, 5)
    known: dict[str, Any] = {
        "mood": random.randint(2, 4),
        "doing": random.choice(DOINGS),
        "with-whom": random.choice(WHO),
        "what": random.choice(PLANS),
        "where": "Near home",
        "mood-before": before,
        "mood-after": min(10, before + random.randint(0, 3)),
        "outcome": "Done",
        "situation": situation,
        "thought": thought,
        "belief-before": strong,
        "feelings": "sad, tired",
        "feeling-strength": strong,
        "facts-for": "It did happen like that.",
        "facts-against": "It was different last week, and nobody said so.",
        "balanced-thought": "It was a hard moment, and it does not say everything about me.",
        "belief-after": strong - random.randrange(10, 45, 5),
        "feeling-after": strong - random.randrange(10, 40, 5),
        "worry": random.choice(WORRIES),
        "can-do": "yes",
        "do-now": "no",
        "what-later": "Ask on Monday at nine",
        "signs": "I stop answering the phone.",
        "by-myself": "Music, a shower, a walk.",
        "people-to-ask": "My sister.",
    }
    keys = {field.key for field in tool.all_fields} | {node.key for node in tool.nodes}
    return {key: value for key, value in known.items() if key in keys}


def answers_for(total: int, items: int, risk_item: int | None, risk: int, random: Random) -> list[int]:
    """One answer, 0 to 3, for each item, that add up to `total`; the risk item is `risk`."""
    answers = [0] * items
    if risk_item is not None:
        answers[risk_item - 1] = risk
    places = [place for place in range(items) if place + 1 != risk_item]
    left = max(0, min(total - risk, 3 * len(places)))
    while left:
        open_places = [place for place in places if answers[place] < 3]
        answers[random.choice(open_places)] += 1
        left -= 1
    return answers
