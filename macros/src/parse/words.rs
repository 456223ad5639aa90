//! The words of the language: kinds of layers, what each of them takes, and the nearest one to a word that is none.

use crate::ir::PoolKind;

/// A kind of layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Conv,
    Conv1d,
    ConvTranspose,
    ConvTranspose1d,
    Pool(PoolKind),
    Pool1d(PoolKind),
    GlobalAvgPool,
    GlobalMaxPool,
    Pad,
    Pad1d,
    Upsample,
    Upsample1d,
    Linear,
    BatchNorm,
    LayerNorm,
    Scale,
    Bias,
    Dropout,
    Flatten,
    Softmax,
    Relu,
    Relu6,
    LeakyRelu,
    Elu,
    Sigmoid,
    Tanh,
    Gelu,
    Silu,
    HardSigmoid,
    HardSwish,
    Softplus,
}

const KINDS: [(&str, Kind); 33] = [
    ("conv", Kind::Conv),
    ("conv1d", Kind::Conv1d),
    ("conv_transpose", Kind::ConvTranspose),
    ("conv_transpose1d", Kind::ConvTranspose1d),
    ("max_pool", Kind::Pool(PoolKind::Max)),
    ("max_pool1d", Kind::Pool1d(PoolKind::Max)),
    ("avg_pool", Kind::Pool(PoolKind::Avg)),
    ("avg_pool1d", Kind::Pool1d(PoolKind::Avg)),
    ("global_avg_pool", Kind::GlobalAvgPool),
    ("global_max_pool", Kind::GlobalMaxPool),
    ("pad", Kind::Pad),
    ("pad1d", Kind::Pad1d),
    ("upsample", Kind::Upsample),
    ("upsample1d", Kind::Upsample1d),
    ("linear", Kind::Linear),
    ("batch_norm", Kind::BatchNorm),
    ("layer_norm", Kind::LayerNorm),
    ("scale", Kind::Scale),
    ("bias", Kind::Bias),
    ("dropout", Kind::Dropout),
    ("flatten", Kind::Flatten),
    ("softmax", Kind::Softmax),
    ("relu", Kind::Relu),
    ("relu6", Kind::Relu6),
    ("leaky_relu", Kind::LeakyRelu),
    ("elu", Kind::Elu),
    ("sigmoid", Kind::Sigmoid),
    ("tanh", Kind::Tanh),
    ("gelu", Kind::Gelu),
    ("silu", Kind::Silu),
    ("hard_sigmoid", Kind::HardSigmoid),
    ("hard_swish", Kind::HardSwish),
    ("softplus", Kind::Softplus),
];

/// What other frameworks call a layer, where the name alone would not lead to ours.
const ELSEWHERE: [(&str, &str); 16] = [
    ("cat", "concat"),
    ("conv2d", "conv"),
    ("convolution", "conv"),
    ("deconv", "conv_transpose"),
    ("deconvolution", "conv_transpose"),
    ("dense", "linear"),
    ("fc", "linear"),
    ("fully_connected", "linear"),
    ("swish", "silu"),
    ("adaptive_avg_pool", "global_avg_pool"),
    ("adaptive_max_pool", "global_max_pool"),
    ("view", "flatten"),
    ("interpolate", "upsample"),
    ("zero_pad", "pad"),
    ("reflection_pad", "pad"),
    ("replication_pad", "pad"),
];

/// The word before a block of layers.
pub const RESIDUAL: &str = "residual";

/// The word between the two arms of a block.
pub const SHORTCUT: &str = "shortcut";

/// The word before layers that come several times.
pub const REPEAT: &str = "repeat";

/// The word before branches that are joined.
pub const CONCAT: &str = "concat";

/// The word before the name of another network.
pub const NET: &str = "net";

/// The words that are no layers: what follows them is read otherwise.
const FORMS: [&str; 4] = [RESIDUAL, REPEAT, CONCAT, NET];

/// Words that stand for a way of padding, rounding, grouping or interpolating, so that they are no numbers.
pub const FLAGS: [&str; 10] =
    ["same", "valid", "depthwise", "floor", "ceil", "zero", "reflect", "replicate", "nearest", "bilinear"];

/// The argument that a word of [`FLAGS`] is a value of, if it is one.
pub fn owner(flag: &str) -> Option<&'static str> {
    match flag {
        "same" | "valid" => Some("padding"),
        "depthwise" => Some("groups"),
        _ => None,
    }
}

/// Whether some kind of layer takes an argument of this name.
pub fn is_argument(word: &str) -> bool {
    KINDS.iter().any(|(_, kind)| kind.takes().named.contains(&word))
}

/// Whether a name is one that other frameworks give to what is our first argument.
pub fn names_first(word: &str) -> bool {
    const NAMES: [&str; 20] = [
        "channels",
        "out_channels",
        "filters",
        "outputs",
        "out_features",
        "features",
        "units",
        "size",
        "window",
        "kernel",
        "kernel_size",
        "pool_size",
        "slope",
        "alpha",
        "padding",
        "factor",
        "scale_factor",
        "p",
        "probability",
        "rate",
    ];
    NAMES.contains(&word)
}

/// Whether an argument is a real number: one with a name, or the first one.
pub fn is_real(word: &str, argument: Option<&str>) -> bool {
    match argument {
        Some(name) => name == "epsilon",
        None => matches!(kind(word), Some(Kind::LeakyRelu | Kind::Elu | Kind::Dropout)),
    }
}

pub fn kind(word: &str) -> Option<Kind> {
    KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
}

/// The kind of layer that was probably meant.
pub fn nearest_kind(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == word).map(|(_, ours)| *ours);
    let names = || KINDS.iter().map(|(name, _)| *name).chain(FORMS).chain([SHORTCUT]);
    // `MaxPool2d`, `max_pool2d`, `BatchNorm2d`: the same name but for its dress.
    let plain = |name: &str| name.trim_end_matches("2d").replace('_', "");
    let dressed = || names().find(|name| plain(name) == plain(&word));
    elsewhere.or_else(dressed).or_else(|| nearest(&word, names()))
}

/// All kinds, for a help.
pub fn all_kinds() -> String {
    let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).chain(FORMS).collect();
    kinds.join(", ")
}

/// What a kind of layer takes between its parentheses.
pub struct Takes {
    /// What the first argument stands for, which has no name.
    pub first: Option<&'static str>,
    /// Arguments with a name.
    pub named: &'static [&'static str],
    /// Words that stand alone.
    pub flags: &'static [&'static str],
    /// A call, for a help.
    pub example: &'static str,
}

impl Kind {
    pub fn takes(self) -> Takes {
        let nothing = Takes { first: None, named: &[], flags: &[], example: "" };
        const CONV: &[&str] = &["kernel", "stride", "padding", "dilation", "groups", "bias"];
        const TRANSPOSED: &[&str] = &["kernel", "stride", "padding", "output_padding", "dilation", "groups", "bias"];
        match self {
            Kind::Conv => Takes {
                first: Some("number of output channels"),
                named: CONV,
                example: "conv(16, kernel = 3)",
                ..nothing
            },
            Kind::Conv1d => Takes {
                first: Some("number of output channels"),
                named: CONV,
                example: "conv1d(16, kernel = 9)",
                ..nothing
            },
            Kind::ConvTranspose => Takes {
                first: Some("number of output channels"),
                named: TRANSPOSED,
                example: "conv_transpose(16, kernel = 4, stride = 2, padding = 1)",
                ..nothing
            },
            Kind::ConvTranspose1d => Takes {
                first: Some("number of output channels"),
                named: TRANSPOSED,
                example: "conv_transpose1d(16, kernel = 4, stride = 2, padding = 1)",
                ..nothing
            },
            Kind::Pool(kind) | Kind::Pool1d(kind) => Takes {
                first: Some("window"),
                named: &["stride", "padding"],
                flags: &["floor", "ceil"],
                example: match (kind, matches!(self, Kind::Pool(_))) {
                    (PoolKind::Max, true) => "max_pool(2)",
                    (PoolKind::Max, false) => "max_pool1d(2)",
                    (PoolKind::Avg, true) => "avg_pool(2)",
                    (PoolKind::Avg, false) => "avg_pool1d(2)",
                },
            },
            Kind::Pad | Kind::Pad1d => Takes {
                first: Some("padding"),
                named: &[],
                flags: &["zero", "reflect", "replicate"],
                example: if self == Kind::Pad { "pad(1)" } else { "pad1d(1)" },
            },
            Kind::Upsample | Kind::Upsample1d => Takes {
                first: Some("factor"),
                named: &[],
                flags: &["nearest", "bilinear"],
                example: if self == Kind::Upsample { "upsample(2)" } else { "upsample1d(2)" },
            },
            Kind::Linear => {
                Takes { first: Some("number of outputs"), named: &["bias"], example: "linear(10)", ..nothing }
            }
            Kind::BatchNorm => Takes { named: &["epsilon"], example: "batch_norm(epsilon = 1e-3)", ..nothing },
            Kind::LayerNorm => Takes { named: &["epsilon"], example: "layer_norm(epsilon = 1e-6)", ..nothing },
            Kind::Dropout => Takes { first: Some("probability"), example: "dropout(0.5)", ..nothing },
            Kind::LeakyRelu => Takes { first: Some("slope"), example: "leaky_relu(0.01)", ..nothing },
            Kind::Elu => Takes { first: Some("scale"), example: "elu(1.0)", ..nothing },
            _ => nothing,
        }
    }
}

impl Takes {
    /// `it takes `stride`, `padding`, `floor` or `ceil``.
    pub fn list(&self) -> String {
        let words: Vec<String> = self.named.iter().chain(self.flags).map(|word| format!("`{word}`")).collect();
        match (words.split_last(), self.first) {
            (None, None) => "it takes no arguments".to_owned(),
            (None, Some(first)) => format!("it takes its {first} alone: `{}`", self.example),
            (Some((last, [])), _) => format!("it takes {last}"),
            (Some((last, others)), _) => format!("it takes {} or {last}", others.join(", ")),
        }
    }
}

/// The word of a list that differs least from a word, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    // `pad` for `padding`, `kernel_size` for `kernel`.
    let begins_as =
        |known: &str| known.len().min(word.len()) >= 3 && (known.starts_with(word) || word.starts_with(known));
    let words: Vec<&str> = words.collect();
    let begun = words.iter().copied().find(|known| begins_as(known));
    let words = words.into_iter();
    words
        .map(|known| (distance(word, known), known))
        .filter(|(d, _)| *d <= most)
        .min_by_key(|(d, _)| *d)
        .map(|(_, w)| w)
        .or(begun)
}

/// Insertions, deletions, substitutions and swaps of neighbours from one word to the other: the Levenshtein distance
/// with swaps ("optimal string alignment").
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // rows[i][j]: from the first i characters of `from` to the first j of `to`.
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let substituted = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let mut least = substituted.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kernel", "kernel"), 0);
        assert_eq!(distance("kernle", "kernel"), 1);
        assert_eq!(distance("sitting", "kitten"), 3);
    }

    #[test]
    fn finds_what_was_meant() {
        for (word, meant) in [
            ("rleu", "relu"),
            ("ReLU", "relu"),
            ("Conv2d", "conv"),
            ("maxpool", "max_pool"),
            ("MaxPool2d", "max_pool"),
            ("max_pol", "max_pool"),
            ("dense", "linear"),
            ("batchnorm", "batch_norm"),
            ("flaten", "flatten"),
        ] {
            assert_eq!(nearest_kind(word), Some(meant), "{word}");
        }
        assert_eq!(nearest_kind("transformer"), None);
        assert_eq!(nearest_kind("x"), None);
    }

    #[test]
    fn every_kind_is_its_own_nearest() {
        for (name, kind_) in KINDS {
            assert_eq!(kind(name), Some(kind_));
            assert_eq!(nearest_kind(name), Some(name));
        }
    }
}
