"""Units of work at the same time, with their progress shown."""

from Code.runs import schedule
from Code.runs.progress import Display, say


def side_by_side(todo, prints, weights, store, jobs, ended, work, what):
    """Do ``work`` on the units of ``todo``, show the progress, and call ``ended`` after each.

    Units that measure time have the machine to themselves, after all others.
    """
    if todo:
        say(f"{len(todo)} {what}, {min(jobs, len(todo))} at a time, into {store.output}/")
    with Display(todo, weights, store, jobs) as display:

        def on_done(unit, failure):
            display.done(unit, failure)
            ended(unit, failure)

        schedule.run_units([u for u in todo if not schedule.alone(u)], prints, on_done, work)
        for unit in filter(schedule.alone, todo):
            schedule.run_units([unit], prints, on_done, work)
