"""What each statistic of the topic `measure` is called in the report, what it means to a reader, and its unit."""

from collections.abc import Callable
from typing import NamedTuple

from services.report.figures import number, percent


class About(NamedTuple):
    """A statistic's title, one sentence on how to read it, the title of its axis, and how its values are told."""

    title: str
    reading: str
    unit: str
    told: Callable[[float], str] = number


MAIN: dict[str, About] = {
    "hapax": About(
        "Words used once", "Falls when rare words are lost: they are the first to go.", "% of different words", percent
    ),
    "good_turing": About(
        "Good-Turing", "How likely the next word is a new one. Falls as the vocabulary closes.", "% of words", percent
    ),
    "novel_1": About(
        "New words", "Words that the stream's last 2,000 documents lack. Falls on collapse.", "% of words", percent
    ),
    "novel_2": About("New word pairs", "The same for two words in a row.", "% of pairs", percent),
    "novel_3": About("New word triples", "The same for three words in a row.", "% of triples", percent),
    "jsd": About(
        "Jensen-Shannon divergence", "Distance of word frequencies from human text. Often blind to collapse.", "bits"
    ),
    "mmd2": About("Mean discrepancy (MMD²)", "Distance from human text in meaning; rises as text drifts away.", "MMD²"),
    "recall": About(
        "Recall", "How much of what humans write about is reached. Falls on collapse.", "% of human text", percent
    ),
    "coverage": About(
        "Coverage", "Human texts that have a similar text in the window. Falls on collapse.", "% of human text", percent
    ),
    "near_duplicates": About(
        "Near-duplicates", "Texts that nearly repeat another. Rises on collapse.", "% of documents", percent
    ),
    "surprisal": About(
        "Surprisal", "How unexpected a model of human text finds the words. Falls on collapse.", "bits per word"
    ),
}
MORE: dict[str, About] = {
    "surprisal_sd": About("Spread of surprisal", "Falls when all texts become alike.", "bits per word"),
    "types": About("Different words", "Falls on collapse.", "words"),
    "distinct_2": About("Distinct word pairs", "Falls on collapse.", "% of pairs", percent),
    "distinct_3": About("Distinct word triples", "Falls on collapse.", "% of triples", percent),
    "chao1": About("Vocabulary to expect", "Different words if the window went on for ever (Chao1).", "words"),
    "mattr": About(
        "Type-token ratio (MATTR)", "Different words in runs of 50. Falls as texts repeat.", "% of words", percent
    ),
    "mtld": About("Lexical diversity (MTLD)", "Words before a text begins to repeat itself.", "words"),
    "repeated_4": About("Repeats within a text", "Runs of four words that a text has had.", "% of runs", percent),
    "self_repetition": About(
        "Repeats between texts", "Texts with a run of eight words that another has.", "% of documents", percent
    ),
    "self_bleu": About("Self-BLEU", "How far other texts foretell a text. Rises on collapse.", "BLEU-4"),
    "compression": About("Compression", "Bytes over compressed bytes. Rises as texts repeat themselves.", "ratio"),
    "templates": About(
        "Sentence templates", "Different runs of four word classes. Falls on collapse.", "% of runs", percent
    ),
    "template_entropy": About("Entropy of word classes", "How evenly function words and endings are used.", "bits"),
    "length_p05": About("Length, shortest 5 %", "Words of whole texts.", "words"),
    "length_p50": About("Length, median", "Words of whole texts.", "words"),
    "length_p95": About("Length, longest 5 %", "Words of whole texts.", "words"),
    "seed_novel": About(
        "New against the seeds", "Word triples that no seed has. Falls when seeds are copied.", "% of triples", percent
    ),
    "copied": About(
        "Copies of seeds", "Texts as near to the seeds as next to no human text.", "% of documents", percent
    ),
    "c2st_auc": About(
        "Told from human text", "How well a classifier tells them apart: .5 is not at all.", "area under the curve"
    ),
    "kl": About("Kullback-Leibler divergence", "From human word frequencies. Often blind to collapse.", "bits"),
    "precision": About("Precision", "Texts that lie where humans write. Stays high.", "% of documents", percent),
    "density": About("Density", "How thickly texts lie where humans write. Rises on collapse.", "density"),
    "frechet": About("Fréchet distance", "Distance from human text in meaning.", "distance"),
    "meaning_mmd2": About(
        "Mean discrepancy of sentence vectors", "Distance from what humans mean, whatever the words.", "MMD²"
    ),
    "meaning_recall": About(
        "Recall of sentence vectors",
        "How much of what humans mean is reached. Falls on collapse.",
        "% of human text",
        percent,
    ),
    "meaning_coverage": About(
        "Coverage of sentence vectors",
        "Human texts that one in the window means. Falls on collapse.",
        "% of human text",
        percent,
    ),
    "vendi": About("Vendi score", "Number of really different texts. Falls on collapse.", "texts"),
    "cells_hit": About("Cells hit", "Regions of human text that the window reaches.", "% of cells", percent),
    "cells_unreached": About("Rare cells unreached", "Rare human text that is not reached.", "% of rare text", percent),
    "adwin_drifts": About("Drifts, by ADWIN", "A second opinion on change; decides nothing.", "drifts so far"),
    "page_hinkley_drifts": About(
        "Drifts, by Page-Hinkley", "A second opinion, often wrong; decides nothing.", "drifts so far"
    ),
    "heaps_beta": About("Heaps' β", "Slope of vocabulary growth. Falls on collapse.", "β"),
}
