//! [`Names`]: what the tensors of a network are called in files that another library reads or wrote.

use core::fmt;

use crate::info::TensorInfo;
use crate::shape::Text;

/// What the tensors of a network are called in files of another library: a `state_dict` that PyTorch saved loads by it, and what is saved by it
/// loads in PyTorch with `load_state_dict(strict=True)`.
///
/// Each entry is (our name, its name in files). Our name is that of a layer, which stands for all its tensors, or of one tensor; the longest that
/// fits counts, and what no entry fits keeps its name. The empty name fits everything: `("", "module")` puts `module.` before
/// all names.
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     struct Net([1, 8, 8] -> [10]) {
///         conv1: conv(4, kernel = 3), bn1: batch_norm, relu,
///         flatten,
///         fc: linear(10),
///     }
/// }
///
/// /// As `nn.Module`s with `features = nn.Sequential(nn.Conv2d(…), nn.BatchNorm2d(…), nn.ReLU())` and `fc = nn.Linear(…)` call them.
/// const TORCH: Names = Names::of(&[("conv1", "features.0"), ("bn1", "features.1")]).num_batches_tracked();
/// // Entries and names are checked when a file is read or written, or here when compiling.
/// const _: () = assert!(TORCH.check(Net::TENSORS).is_ok());
///
/// assert_eq!(TORCH.theirs("conv1.weight").to_string(), "features.0.weight");
/// assert_eq!(TORCH.theirs("bn1.running_mean").to_string(), "features.1.running_mean");
/// assert_eq!(TORCH.theirs("fc.bias").to_string(), "fc.bias");
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("net.safetensors");
/// # let net = Net::init(&mut rand::rng());
/// net.save_named(&path, &TORCH)?;
/// assert_eq!(Net::load_named(&path, &TORCH)?.params(), net.params());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    pairs: &'static [(&'static str, &'static str)],
    dotted: bool,
    counters: bool,
}

impl Names {
    /// The names of the declaration, unchanged.
    pub const DECLARED: Self = Self::of(&[]);

    /// Those of a list of (our name, its name in files).
    pub const fn of(pairs: &'static [(&'static str, &'static str)]) -> Self {
        Names { pairs, dotted: false, counters: false }
    }

    /// A `_` in the name of a layer, or in what of it no entry names, is a `.` in files: `layer1_0_conv1.weight` is called `layer1.0.conv1.weight`.
    ///
    /// ```
    /// use tenonet::Names;
    ///
    /// const NAMES: Names = Names::of(&[("fc_out", "fc_out")]).dotted();
    /// assert_eq!(NAMES.theirs("layer1_0_bn1.running_var").to_string(), "layer1.0.bn1.running_var");
    /// assert_eq!(NAMES.theirs("fc_out.weight").to_string(), "fc_out.weight");
    /// ```
    pub const fn dotted(self) -> Self {
        Names { dotted: true, ..self }
    }

    /// Files that are written have PyTorch's `num_batches_tracked` beside each `running_var`, an `i64` without dimensions, which strict loading wants.
    ///
    /// It is 0: PyTorch reads it only where `momentum=None` makes running averages plain means, which `batch_norm` has not. Files that are
    /// read may have it or not.
    pub const fn num_batches_tracked(self) -> Self {
        Names { counters: true, ..self }
    }

    /// The name in files of our tensor `ours`.
    pub const fn theirs<'a>(&self, ours: &'a str) -> FileName<'a> {
        let (prefix, rest) = match self.entry(ours) {
            Some(entry) => {
                let (key, prefix) = self.pairs[entry];
                let (_, rest) = ours.split_at(key.len());
                (prefix, if key.is_empty() { rest } else { without_dot(rest) })
            }
            None => ("", ours),
        };
        FileName { prefix, rest, dots: if self.dotted { last_dot(rest) } else { 0 } }
    }

    /// Whether each entry names a tensor of the table, and all of them have names of their own.
    ///
    /// # Errors
    /// The first entry that names none, or the first two tensors of one name.
    pub const fn check(&self, tensors: &[TensorInfo]) -> Result<(), NamesFault> {
        let mut entry = 0;
        while entry < self.pairs.len() {
            let mut i = 0;
            while i < tensors.len() && !self.names(entry, tensors[i].name) {
                i += 1;
            }
            if i == tensors.len() {
                let (ours, theirs) = self.pairs[entry];
                return Err(NamesFault::Unused { ours, theirs });
            }
            entry += 1;
        }
        let mut i = 0;
        while i < tensors.len() {
            let name = self.theirs(tensors[i].name);
            let mut j = 0;
            while j < i {
                if name.same(&self.theirs(tensors[j].name)) {
                    return Err(NamesFault::Twice { first: tensors[j].name, second: tensors[i].name, names: *self });
                }
                j += 1;
            }
            i += 1;
        }
        Ok(())
    }

    /// The names in files of what counts the batches of these tensors, if files are to have it.
    #[cfg(feature = "weights")]
    pub(crate) fn counters(&self, tensors: &[TensorInfo]) -> impl Iterator<Item = String> {
        let variances = tensors.iter().filter(|tensor| self.counters && tensor.role == crate::info::Role::Variance);
        variances.filter_map(|tensor| counter_of(&self.theirs(tensor.name).to_string()))
    }

    /// Whether this entry is the one that names `ours`.
    const fn names(&self, entry: usize, ours: &str) -> bool {
        // Few entries fit, and only for those are the others looked at: the compiler counts the steps.
        fits(self.pairs[entry].0.as_bytes(), ours.as_bytes())
            && matches!(self.entry(ours), Some(found) if found == entry)
    }

    /// The place of the entry that names `ours`: the longest that fits, of equal ones the first.
    const fn entry(&self, ours: &str) -> Option<usize> {
        let (mut best, mut i) = (None, 0);
        while i < self.pairs.len() {
            let length = self.pairs[i].0.len();
            let longer = match best {
                Some(best) => {
                    let (key, _): (&str, &str) = self.pairs[best];
                    length > key.len()
                }
                None => true,
            };
            if longer && fits(self.pairs[i].0.as_bytes(), ours.as_bytes()) {
                best = Some(i);
            }
            i += 1;
        }
        best
    }
}

/// PyTorch's counter of batches beside the running variance of this name.
#[cfg(feature = "weights")]
fn counter_of(variance: &str) -> Option<String> {
    variance.strip_suffix("running_var").map(|layer| format!("{layer}num_batches_tracked"))
}

/// Whether `name` is `key`, or begins with it and a dot.
const fn fits(key: &[u8], name: &[u8]) -> bool {
    let end = key.len();
    // The end first: where lengths differ that is all, and names of layers often begin alike.
    if end > name.len() || end > 0 && end < name.len() && name[end] != b'.' {
        return false;
    }
    let mut i = end;
    while i > 0 {
        i -= 1;
        if key[i] != name[i] {
            return false;
        }
    }
    true
}

/// What is behind a leading dot.
const fn without_dot(rest: &str) -> &str {
    if rest.is_empty() { rest } else { rest.split_at(1).1 }
}

/// Bytes before the last dot.
const fn last_dot(name: &str) -> usize {
    let (bytes, mut i) = (name.as_bytes(), name.len());
    while i > 0 {
        i -= 1;
        if bytes[i] == b'.' {
            return i;
        }
    }
    0
}

/// A tensor's name in files, made when it is compared or written: so it can be in a `const`.
#[derive(Clone, Copy, Debug)]
pub struct FileName<'a> {
    prefix: &'static str,
    rest: &'a str,
    /// Bytes of `rest` whose underscores are dots.
    dots: usize,
}

impl FileName<'_> {
    /// Whether it is `name`.
    ///
    /// ```
    /// use tenonet::Names;
    ///
    /// const NAMES: Names = Names::of(&[("conv1", "features.0")]);
    /// const _: () = assert!(NAMES.theirs("conv1.bias").is("features.0.bias"));
    /// ```
    pub const fn is(&self, name: &str) -> bool {
        self.same(&FileName { prefix: "", rest: name, dots: 0 })
    }

    /// Whether it is that of a running variance, and `name` that of what counts the batches beside it.
    pub(crate) const fn is_counted_by(&self, name: &str) -> bool {
        const VARIANCE: &[u8] = b".running_var";
        const COUNTER: &[u8] = b".num_batches_tracked";
        let name = name.as_bytes();
        let Some(stem) = name.len().checked_sub(COUNTER.len()) else { return false };
        if self.len() != stem + VARIANCE.len() {
            return false;
        }
        let mut i = 0;
        while i < name.len() {
            let is_same = if i < stem { name[i] == self.byte(i) } else { name[i] == COUNTER[i - stem] };
            if !is_same {
                return false;
            }
            i += 1;
        }
        let mut i = 0;
        while i < VARIANCE.len() {
            if self.byte(stem + i) != VARIANCE[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Appends it to a text.
    pub(crate) const fn append_to(&self, text: Text) -> Text {
        let mut text = text.str(self.prefix);
        if self.rest_at() > self.prefix.len() {
            text = text.str(".");
        }
        let (mut layer, tensor) = self.rest.split_at(self.dots);
        let mut i = 0;
        while i < layer.len() {
            if layer.as_bytes()[i] == b'_' {
                let (part, others) = layer.split_at(i);
                text = text.str(part).str(".");
                (layer, i) = (others.split_at(1).1, 0);
            } else {
                i += 1;
            }
        }
        text.str(layer).str(tensor)
    }

    const fn same(&self, other: &FileName<'_>) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let mut i = self.len();
        while i > 0 {
            i -= 1;
            if self.byte(i) != other.byte(i) {
                return false;
            }
        }
        true
    }

    /// Bytes before `rest`.
    const fn rest_at(&self) -> usize {
        let dot = !self.prefix.is_empty() && !self.rest.is_empty();
        self.prefix.len() + dot as usize
    }

    const fn len(&self) -> usize {
        self.rest_at() + self.rest.len()
    }

    const fn byte(&self, at: usize) -> u8 {
        if at < self.prefix.len() {
            return self.prefix.as_bytes()[at];
        }
        if at < self.rest_at() {
            return b'.';
        }
        let at = at - self.rest_at();
        match self.rest.as_bytes()[at] {
            b'_' if at < self.dots => b'.',
            byte => byte,
        }
    }
}

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        if self.rest_at() > self.prefix.len() {
            f.write_str(".")?;
        }
        let (layer, tensor) = self.rest.split_at(self.dots);
        for (i, part) in layer.split('_').enumerate() {
            f.write_str(if i > 0 { "." } else { "" })?;
            f.write_str(part)?;
        }
        f.write_str(tensor)
    }
}

/// Why [`Names`] are not those of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamesFault {
    /// An entry names no tensor: no name is its own or begins with it, or longer entries name all that do.
    Unused {
        /// Our name in the entry.
        ours: &'static str,
        /// Its name in files.
        theirs: &'static str,
    },
    /// Two tensors would have one name.
    Twice {
        /// Our name of the first.
        first: &'static str,
        /// Our name of the second.
        second: &'static str,
        /// The names, for that in files.
        names: Names,
    },
}

impl fmt::Display for NamesFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamesFault::Unused { ours, theirs } => write!(f, "the entry (`{ours}`, `{theirs}`) names no tensor of it"),
            NamesFault::Twice { first, second, names } => {
                write!(f, "`{first}` and `{second}` would both be called `{}`", names.theirs(first))
            }
        }
    }
}

impl core::error::Error for NamesFault {}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::info::{MemoryOrder, Role};

    const fn tensor(name: &'static str) -> TensorInfo {
        TensorInfo { name, shape: &[1], memory: MemoryOrder::Same, offset: 0, role: Role::Bias }
    }

    /// The text, which is also what a `const` compares with.
    #[track_caller]
    fn assert_theirs(names: Names, ours: &str, wanted: &str) {
        let theirs = names.theirs(ours);
        assert_eq!(theirs.to_string(), wanted);
        assert!(theirs.is(wanted), "{wanted}");
        assert_eq!(theirs.len(), wanted.len());
        for other in [&wanted[1..], &format!("{wanted}x"), &wanted.replace('.', "_"), "x", ""] {
            assert_eq!(theirs.is(other), wanted == other, "{wanted}, {other}");
        }
    }

    #[test]
    fn the_longest_entry_counts() {
        const NAMES: Names =
            Names::of(&[("conv1", "a.0"), ("conv1.bias", "b"), ("net.conv", "c.d"), ("net", "e"), ("net.conv_2", "f")]);
        assert_theirs(NAMES, "conv1.weight", "a.0.weight");
        assert_theirs(NAMES, "conv1.bias", "b");
        // Whole parts of a name alone.
        assert_theirs(NAMES, "conv10.weight", "conv10.weight");
        assert_theirs(NAMES, "conv.weight", "conv.weight");
        assert_theirs(NAMES, "conv1", "a.0");
        assert_theirs(NAMES, "net.conv.weight", "c.d.weight");
        assert_theirs(NAMES, "net.conv_2.weight", "f.weight");
        assert_theirs(NAMES, "net.conv_1.weight", "e.conv_1.weight");
        assert_theirs(Names::DECLARED, "net.conv_1.weight", "net.conv_1.weight");
    }

    #[test]
    fn empty_names_bring_no_dot() {
        assert_theirs(Names::of(&[("", "module")]), "fc.weight", "module.fc.weight");
        assert_theirs(Names::of(&[("fc", "")]), "fc.weight", "weight");
        assert_theirs(Names::of(&[("", "")]), "fc.weight", "fc.weight");
        assert_theirs(Names::of(&[("", "module"), ("fc", "head")]), "fc.weight", "head.weight");
    }

    #[test]
    fn underscores_of_layers_are_dots() {
        const NAMES: Names = Names::of(&[("net", "back_bone"), ("fc_1", "fc_1")]).dotted();
        assert_theirs(NAMES, "layer1_0_bn1.running_mean", "layer1.0.bn1.running_mean");
        assert_theirs(NAMES, "net.conv_2.weight", "back_bone.conv.2.weight");
        assert_theirs(NAMES, "net.running_mean", "back_bone.running_mean");
        assert_theirs(NAMES, "fc_1.weight", "fc_1.weight");
        assert_theirs(NAMES, "_a_.b", ".a..b");
        assert_theirs(Names::of(&[("", "m_")]).dotted(), "a_b.c_d", "m_.a.b.c_d");
    }

    #[test]
    fn each_entry_names_a_tensor() {
        const TENSORS: &[TensorInfo] = &[tensor("conv1.weight"), tensor("conv1.bias"), tensor("fc.weight")];
        const _: () = assert!(Names::of(&[("conv1", "a")]).check(TENSORS).is_ok());
        let fault = |names: Names| names.check(TENSORS).unwrap_err().to_string();
        let unused = Names::of(&[("conv1", "a"), ("conv", "b")]);
        assert_eq!(unused.check(TENSORS), Err(NamesFault::Unused { ours: "conv", theirs: "b" }));
        assert_eq!(fault(unused), "the entry (`conv`, `b`) names no tensor of it");
        // Where longer entries name all, and of two equal entries the second.
        let shadowed = Names::of(&[("fc", "a"), ("fc.weight", "b")]);
        assert_eq!(shadowed.check(TENSORS), Err(NamesFault::Unused { ours: "fc", theirs: "a" }));
        let twice = Names::of(&[("fc", "a"), ("fc", "b")]);
        assert_eq!(twice.check(TENSORS), Err(NamesFault::Unused { ours: "fc", theirs: "b" }));
        assert_eq!(Names::DECLARED.check(TENSORS), Ok(()));
        assert_eq!(Names::of(&[("", "module")]).check(TENSORS), Ok(()));
    }

    #[test]
    fn no_name_stands_for_two() {
        const TENSORS: &[TensorInfo] = &[tensor("a_b.weight"), tensor("a.b.weight"), tensor("c.weight")];
        let fault = |names: Names| names.check(TENSORS).unwrap_err().to_string();
        assert_eq!(fault(Names::of(&[("c", "a_b")])), "`a_b.weight` and `c.weight` would both be called `a_b.weight`");
        assert_eq!(fault(Names::DECLARED.dotted()), "`a_b.weight` and `a.b.weight` would both be called `a.b.weight`");
        assert_eq!(Names::of(&[("c", "a_b"), ("a_b", "c")]).check(TENSORS), Ok(()));
    }
}
