"""Stories and questions for the babi examples: from the published archive, or invented in the same format.

The format (Weston et al., arXiv:1502.05698): numbered sentences; a new story begins with number 1;
questions carry, after tabs, the answer and the numbers of the sentences that matter.
"""

import random
import re
import tarfile

ORIGIN = "https://s3.amazonaws.com/text-datasets/babi_tasks_1-20_v1-2.tar.gz"


def words_of(sentence):
    """'Where is Mary?' → ['Where', 'is', 'Mary', '?']"""
    return re.findall(r"\w+|[^\w\s]", sentence)


def parse(lines, only_supporting=False):
    """Reads lines of the format.

    Args:
        lines: strings.
        only_supporting: of each story keep only the sentences that matter for the question.

    Returns:
        list of (story, question, answer): two lists of words and a word.
    """
    data = []
    story = []
    for line in lines:
        number, text = line.strip().split(" ", 1)
        if int(number) == 1:
            story = []
        if "\t" not in text:
            story.append(words_of(text))
            continue
        question, answer, supporting = text.split("\t")
        if only_supporting:
            told = [story[int(i) - 1] for i in supporting.split()]
        else:
            told = [sentence for sentence in story if sentence]
        data.append(([word for sentence in told for word in sentence], words_of(question), answer))
        story.append([])  # questions are numbered too
    return data


def from_archive(path, member, only_supporting=False):
    """The stories of one file (`member`) in the published archive."""
    with tarfile.open(path) as archive:
        file = archive.extractfile(member)
        return parse([line.decode("utf-8") for line in file], only_supporting)


def invented(stories, carried=False, seed=0, only_supporting=False):
    """Stories about people who go from room to room, made here, for trying things out.

    Args:
        stories: how many; each has several questions.
        carried: people also pick up things, and it is asked where those are.
        seed: other stories for another seed.
        only_supporting: as in `parse`.
    """
    draw = random.Random(seed)
    people, rooms = ("Mary", "John", "Sandra", "Daniel"), ("kitchen", "garden", "office", "hallway")
    moves = ("went to", "moved to", "travelled to")
    lines = []
    for _ in range(stories):
        place, holds, number = {}, {}, 0
        for _ in range(3 if not carried else 2):
            for _ in range(2):
                number += 1
                person, room = draw.choice(people), draw.choice(rooms)
                place[person] = (room, number)
                lines.append(f"{number} {person} {draw.choice(moves)} the {room}.")
            if carried:
                number += 1
                person = draw.choice(sorted(place))
                holds = {"ball": (person, number)}
                lines.append(f"{number} {person} picked up the ball.")
            number += 1
            if carried:
                person, taken = holds["ball"]
                room, moved = place[person]
                lines.append(
                    f"{number} Where is the ball?\t{room}\t{' '.join(map(str, sorted((taken, moved))))}"
                )
            else:
                person = draw.choice(sorted(place))
                room, moved = place[person]
                lines.append(f"{number} Where is {person}?\t{room}\t{moved}")
    return parse(lines, only_supporting)
