//! Medians and spread. No mean: one stall of the machine would move it.

/// What a sample of times says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    pub(super) median: f64,
    /// A tenth of the values lie below; the least of few.
    pub(super) low: f64,
    /// A tenth of the values lie above; the greatest of few.
    pub(super) high: f64,
}

impl Summary {
    /// Of at least one value.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|it| it.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = if sorted.len() < FEW { (0.0, 1.0) } else { (0.1, 0.9) };
        Some(Self {
            median: quantile(&sorted, 0.5)?,
            low: quantile(&sorted, low)?,
            high: quantile(&sorted, high)?,
        })
    }
}

/// Of fewer values a tenth is nothing.
const FEW: usize = 5;

/// The median alone.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    Summary::of(values).map(|summary| summary.median)
}

/// How far the medians of the even and of the odd rounds differ, relative to their mean: what two
/// measurements of the same thing, taken in turn, disagree by.
pub(super) fn noise(values: &[f64]) -> Option<f64> {
    let every_other =
        |first: usize| -> Vec<f64> { values.iter().copied().skip(first).step_by(2).collect() };
    let (even, odd) = (median(&every_other(0))?, median(&every_other(1))?);
    Some((even - odd).abs() / f64::midpoint(even, odd))
}

/// Between two values linearly; `sorted` ascending, `part` from 0 to 1.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (sorted.get(below)?, sorted.get(above)?);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_spread_of_eleven() {
        let values: Vec<f64> = (0..=10).rev().map(f64::from).collect();
        assert_eq!(Summary::of(&values), Some(Summary { median: 5.0, low: 1.0, high: 9.0 }));
    }

    #[test]
    fn an_even_number_has_its_median_between_two() {
        assert_eq!(median(&[1.0, 4.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[f64::NAN]), None);
        assert_eq!(noise(&[1.0]), None);
    }

    #[test]
    fn noise_is_the_disagreement_of_every_other_round() {
        assert_eq!(noise(&[1.0, 3.0, 1.0, 3.0]), Some(1.0));
    }
}
