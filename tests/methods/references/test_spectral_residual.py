"""Salience of spikes and slow courses."""

import numpy as np

from ad_core.methods.references.spectral_residual import AT_A_TIME, SpectralResidual, SpectralResidualSettings


def courses(n: int = 30) -> np.ndarray:
    """(n, 2, 64) sines of random phase with a little noise."""
    random = np.random.default_rng(0)
    time = np.arange(64) / 64
    x = np.sin(2 * np.pi * (4 * time + random.random((n, 2, 1)))) + 0.1 * random.normal(size=(n, 2, 64))
    return x.astype(np.float32)


def fitted() -> SpectralResidual:
    reference = SpectralResidual(SpectralResidualSettings(), 0)
    reference.fit(courses())
    return reference


def test_a_spike_stands_out_of_its_spectrum_and_a_shift_of_level_does_not():
    x = courses()[:3].copy()
    x[1, 0, 30] += 6
    x[2, 0] += 6

    usual, spike, shift = fitted().score(x)

    assert spike > 3 * usual
    assert shift < 1.5 * usual


def test_the_usual_score_is_about_one_whatever_the_unit_of_a_channel():
    x = courses()
    x[:, 1] *= 1000
    reference = SpectralResidual(SpectralResidualSettings(), 0)
    reference.fit(x)

    np.testing.assert_allclose(np.median(reference.score(x)), 1.0, rtol=0.15)


def test_salience_of_two_steps_by_hand():
    """The whole chain written out with numpy for one short course."""
    x = np.array([0, 0, 0, 1, 5, 2, 2, 2, 2, 2, 3, 2], dtype=np.float64)
    spectrum = np.fft.fft(x)
    log = np.log(np.abs(spectrum))
    around = np.array([np.mean([log[i - 1], log[i], log[(i + 1) % 12]]) for i in range(12)])
    salience = np.abs(np.fft.ifft(np.exp(log - around + 1j * np.angle(spectrum))))
    expected = (salience.max() - salience.mean()) / salience.mean()
    reference = SpectralResidual(SpectralResidualSettings(), 0)
    reference.fit(x[None, None].astype(np.float32))

    np.testing.assert_allclose(reference.usual, [expected], rtol=1e-6)
    assert salience.argmax() == 4


def test_a_channel_that_does_not_move_adds_nothing():
    x = courses()
    x[:, 1] = 0

    reference = SpectralResidual(SpectralResidualSettings(), 0)
    reference.fit(x)

    assert np.isfinite(reference.score(x)).all()


def test_windows_taken_some_at_a_time_score_as_all_together():
    """More windows than are in memory at once; each by itself is the other extreme."""
    reference, many = fitted(), courses(AT_A_TIME + 5)

    together = reference.score(many)

    np.testing.assert_allclose(together, np.concatenate([reference.score(x[None]) for x in many]), rtol=1e-9)
