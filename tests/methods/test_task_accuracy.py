"""Accuracy per class, weights, surprises and the warnings that follow."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from ad_core.methods.task_accuracy import A_FEW_STEPS, AccuracyShares, TaskAccuracy, surprises
from ad_core.types import Modality


def answered(*right: int) -> torch.Tensor:
    """(10, k, k) logits: question i is answered rightly for so many of ten items, the others with the next answer."""
    k = len(right)
    answers = torch.zeros(10, k, k)
    for question, count in enumerate(right):
        answers[:count, question, question] = 1.0
        answers[count:, question, (question + 1) % k] = 1.0
    return answers


def shares(*right: int) -> AccuracyShares:
    return AccuracyShares.of([answered(*right)])


def solved_at_once(of_200: int) -> TaskAccuracy:
    """So many of 200 answers right in each of the first steps."""
    recognition = TaskAccuracy(Modality.SENSOR)
    answers = torch.eye(2).repeat(100, 1)
    truth = answers.argmax(1)
    truth[of_200:] = 1 - truth[of_200:]
    for _ in range(A_FEW_STEPS + 10):
        recognition.watch(answers, truth)
    return recognition


def test_shares_are_counted_per_question_however_the_items_are_batched():
    found = AccuracyShares.of(answered(10, 5, 0).split([3, 7]))

    assert found.right.tolist() == [1.0, 0.5, 0.0]
    assert (found.count, found.chance) == (10, pytest.approx(1 / 3))


def test_weights_rise_from_guessing_and_few_items_change_them_little():
    """Ten items beside ten synthetic ones: halfway between 1 and (share - 1/2) / (1 - 1/2), which is 1, .6, 0 and 0."""
    found = torch.cat([shares(10, 8).weights(), shares(5, 2).weights()])

    torch.testing.assert_close(found, torch.tensor([1.0, 0.8, 0.5, 0.5]))
    assert (AccuracyShares(torch.zeros(2), 1).weights() > 0.9).all()
    assert (AccuracyShares(torch.zeros(2), 512).weights() < 0.02).all()


def test_a_question_counts_as_recognised_unless_enough_items_say_otherwise():
    assert shares(10, 3, 1).recognised().tolist() == [True, True, False]  # (10 + 3) / 20 = .65, (10 + 1) / 20 = .55
    assert AccuracyShares(torch.zeros(2), 3).recognised().all()
    assert not AccuracyShares(torch.tensor([0.55, 0.5]), 500).recognised().any()


def test_a_task_hardly_better_than_guessing_is_said_to_be_not_learnt():
    (sentence,) = TaskAccuracy(Modality.SENSOR).doubts(shares(6, 3, 3, 3))  # 37.5 % = 1.5 * 25 %

    assert sentence == (
        "On 10 held-out windows 38% of the predictions were right, and guessing gives 25%: the network learnt next "
        "to nothing, and its scores mean little. Choose another pretext task."
    )
    assert TaskAccuracy(Modality.SENSOR).doubts(shares(6, 4, 3, 3)) == []


def test_one_held_out_image_is_one_image():
    (sentence,) = TaskAccuracy(Modality.IMAGE).doubts(AccuracyShares(torch.zeros(4), 1))

    assert "On 1 held-out image 0% of the predictions" in sentence


def test_a_task_solved_after_a_few_steps_is_said_to_have_a_shortcut():
    (sentence,) = solved_at_once(198).doubts(shares(10, 10))

    assert sentence.startswith(
        "After 20 training steps 99% of the predictions were right already: the task has a shortcut"
    )
    assert solved_at_once(190).doubts(shares(10, 10)) == []


def test_only_the_last_of_the_first_steps_count_and_a_new_training_starts_anew():
    recognition, right = solved_at_once(0), torch.eye(3).expand(4, 3, 3)
    recognition.watch(right)

    assert recognition.doubts(shares(10, 10)) == []
    recognition.start()
    for _ in range(A_FEW_STEPS):
        assert recognition.doubts(shares(10, 10)) == []
        recognition.watch(right)
    assert recognition.doubts(shares(10, 10)) != []


def test_what_is_hardly_recognised_is_named_with_its_share():
    recognition, names = TaskAccuracy(Modality.SENSOR), ["sign flip", "time reversal", "scale"]

    assert recognition.hardly(shares(10, 1, 0), names, "counted less") == [
        "Hardly recognised on 10 held-out windows, and counted less: time reversal (10%), scale (0%)."
    ]
    assert recognition.hardly(shares(10, 10, 10), names, "counted less") == []


def test_surprises_are_cross_entropies_and_keep_their_digits():
    answers = torch.randn(5, 4, 4, generator=torch.Generator().manual_seed(0))
    sure = torch.zeros(1, 2, 2)
    sure[0, 0, 0] = 60.0  # log(1 + exp(-60)); 1 - exp(-60) is 1 in float32
    sure[0, 1, 0] = 60.0

    expected = cross_entropy(answers.flatten(0, 1), torch.arange(4).repeat(5), reduction="none").view(5, 4)

    torch.testing.assert_close(surprises(answers), expected)
    torch.testing.assert_close(surprises(sure), torch.tensor([[math.exp(-60), 60.0]]), rtol=1e-4, atol=0)
