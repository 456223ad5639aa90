use crate::Text;

/// What is wrong with a probability of dropout that is none, or drops everything.
pub const fn probability_text(layer: &str) -> Text {
    Text::new().str(layer).str(": the probability must be at least 0 and below 1")
}

/// Panics unless `probability` is at least 0 and below 1: a compile error where this is evaluated in a `const`, at the place of the call.
///
/// # Panics
/// If it is not.
#[track_caller]
pub const fn deny_probability(layer: &str, probability: f64) {
    if probability >= 0.0 && probability < 1.0 {
        return;
    }
    panic!("{}", probability_text(layer).as_str());
}
