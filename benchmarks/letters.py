"""How long many letters take: set alone, and all the way from what is due to a print house's folder."""

import time
from datetime import date, timedelta

from benchmarks.book import home
from coverledger.composition import opened
from ledger.app import App
from ledger.command_envelope import submission
from ledger.domain.calendar import add_months, brussels_date
from ledger.domain.terms import load_terms
from schedulers.letters.content import Addressee, Draft, compose
from schedulers.letters.pdf import Press
from schedulers.letters.worker import hand, prepare

LANGUAGES = ("nl", "fr", "en")


def setting_rate(letters: int) -> float:
    """Letters set per second: composed and written as PDF/A, nothing else."""
    press, terms = Press(), load_terms("cyber-care")
    facts = {"starts_on": "2024-10-01", "ends_on": "2026-10-01", "last_day": "2026-09-30"}
    dated = date(2026, 6, 1)
    begin = time.perf_counter()
    for number in range(letters):
        language = LANGUAGES[number % len(LANGUAGES)]
        draft = Draft(
            "termination_notice", f"L-{number}", language, dated, f"CC-{number}", None, terms, facts
        )
        who = Addressee(f"Zoë Ünal {number}", "Rue de l'Église 7\n4000 Liège")
        press.set(compose(draft, who), dated)
    return letters / (time.perf_counter() - begin)


def whole_way_rate(letters: int) -> float:
    """Letters per second from their deadlines to the folder: opened, set, sealed, recorded, handed over."""
    with home() as settings, opened("cyber-care", settings) as wiring:
        for number in range(letters):
            _start(wiring, number)
        wiring.catch_up()
        begin = time.perf_counter()
        handed = prepare(wiring, Press()) and hand(wiring)
        took = time.perf_counter() - begin
    if handed != letters:
        message = f"{handed} of {letters} letters were handed over"
        raise RuntimeError(message)
    return letters / took


def _start(wiring: App, number: int) -> None:
    """Start a contract whose notice is due in some days."""
    ends_on = add_months(brussels_date(wiring.now()) + timedelta(days=11), 3)
    starts_on = ends_on
    while starts_on > load_terms("cyber-care").last_day_of_sale:
        starts_on = add_months(starts_on, -12)
    person = {"person": f"P-{number}", "name": f"Zoë Ünal {number}", "address": "Meir 1, 2000 Antwerpen"}
    fields = {
        "contract": f"CC-{number}",
        "product": "cyber-care",
        "starts_on": starts_on.isoformat(),
        "language": LANGUAGES[number % len(LANGUAGES)],
        "policyholder": person,
    }
    answer = wiring.ledger.submit(submission(f"start-{number}", "StartContract", fields))
    if answer.said_no:
        raise RuntimeError(answer.message)
