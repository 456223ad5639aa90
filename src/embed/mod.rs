//! [`include_weights!`](crate::include_weights!): a network made by the compiler from a weight file. It lies in read-only memory, and nothing of it is
//! computed when the program starts.
//!
//! The macro reads the file's header; the compiler, which knows the network's tensors, evaluates [`embed`]: it compares the two, and puts the file's
//! elements into the order of memory ([`MemoryOrder`](crate::MemoryOrder)).

mod order;

use crate::info::TensorInfo;
use crate::names::{FileName, Names, NamesFault};
use crate::network::Network;
use crate::plain;
use crate::scalar::Scalar;
use crate::shape::Text;

/// A weight file, as `include_weights!` writes it down.
#[derive(Debug)]
pub struct EmbeddedFile {
    /// Its name, for messages.
    pub name: &'static str,
    /// What it holds, in the order of the file.
    pub tensors: &'static [EmbeddedTensor],
    /// All its bytes.
    pub bytes: &'static [u8],
    /// What it calls the network's tensors.
    pub names: Names,
}

/// A tensor of a weight file.
#[derive(Debug)]
pub struct EmbeddedTensor {
    /// Its name.
    pub name: &'static str,
    /// Its element type, as files call it: `F32`.
    pub dtype: &'static str,
    /// Its shape.
    pub shape: &'static [usize],
    /// The first byte of its elements, counted from the beginning of the file.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

/// The network with the weights of a file.
///
/// # Panics
/// If the file's tensors are not those of the network: a compile error, as this is evaluated in a `const`.
#[track_caller]
pub const fn embed<N: Network>(file: &EmbeddedFile) -> N {
    if let Err(fault) = file.names.check(N::TENSORS) {
        panic!("{}", misnamed::<N>(file, fault).as_str());
    }
    let faults = faults::<N>(file);
    if faults.count > 0 {
        panic!("{}", faults.text().as_str());
    }
    let mut net = plain::zeroed::<N>();
    let mut copy = plain::zeroed::<N>();
    let (memory, elements) = (plain::flat_mut(&mut net), plain::flat_mut(&mut copy));
    let mut i = 0;
    while i < N::TENSORS.len() {
        let tensor = &N::TENSORS[i];
        if let Some(found) = find(file, &file.names.theirs(tensor.name), i) {
            let elements = elements.split_at_mut(tensor.offset).1.split_at_mut(tensor.len()).0;
            read(file.bytes.split_at(found.end).0.split_at(found.start).1, elements);
            let memory = memory.split_at_mut(tensor.offset).1.split_at_mut(tensor.len()).0;
            order::copy_from_file_order(tensor, elements, memory);
        }
        i += 1;
    }
    // Plain data has nothing to drop, but a `const fn` does not know that.
    core::mem::forget(copy);
    net
}

/// The elements of a tensor: little-endian bytes in the file.
const fn read<T: Scalar>(bytes: &[u8], elements: &mut [T]) {
    let memory = plain::bytes_mut(elements);
    memory.copy_from_slice(bytes);
    if cfg!(target_endian = "big") {
        let size = size_of::<T>();
        let mut i = 0;
        while i < memory.len() {
            let other = i / size * size + (size - 1 - i % size);
            if i < other {
                (memory[i], memory[other]) = (memory[other], memory[i]);
            }
            i += 1;
        }
    }
}

/// Where file and network differ.
struct Faults {
    first: Text,
    count: usize,
}

impl Faults {
    const fn add(&mut self, text: Text) {
        if self.count == 0 {
            self.first = text;
        }
        self.count += 1;
    }

    const fn text(&self) -> Text {
        match self.count - 1 {
            0 => self.first,
            1 => self.first.str("\n= note: 1 more tensor differs"),
            others => self.first.str("\n= note: ").num(others).str(" more tensors differ"),
        }
    }
}

/// Compares names, element types and shapes: the rules of reading a file at run time.
const fn faults<N: Network>(file: &EmbeddedFile) -> Faults {
    let mut faults = Faults { first: Text::new(), count: 0 };
    let mut i = 0;
    while i < N::TENSORS.len() {
        let wanted = &N::TENSORS[i];
        let name = file.names.theirs(wanted.name);
        match find(file, &name, i) {
            None => faults.add(missing::<N>(file, wanted)),
            Some(found) => {
                if !equal(found.dtype, <N::Scalar as Scalar>::DTYPE) {
                    let text = Text::new().str(file.name).str(": the elements of tensor ");
                    let text = both(text, &name, wanted)
                        .str(" are ")
                        .str(found.dtype)
                        .str(", but ")
                        .str(N::NAME)
                        .str(" wants ");
                    faults.add(text.str(<N::Scalar as Scalar>::DTYPE));
                } else if !same_shape(found.shape, wanted.shape) {
                    let text = Text::new().str(file.name).str(": tensor ");
                    let text = both(text, &name, wanted).str(" is ");
                    let text = shape(text, found.shape).str(", but ").str(N::NAME).str(" wants ");
                    faults.add(shape(text, wanted.shape));
                }
            }
        }
        i += 1;
    }
    let mut i = 0;
    while i < file.tensors.len() {
        let found = &file.tensors[i];
        if !is_known(file.names, N::TENSORS, found.name, i) {
            let text = Text::new().str(file.name).str(": it has a tensor `").str(found.name).str("` ");
            faults.add(shape(text, found.shape).str(", but ").str(N::NAME).str(" has no such tensor"));
        }
        i += 1;
    }
    faults
}

/// A tensor's name in the file, and the declared one where that is another.
const fn both(text: Text, name: &FileName<'_>, tensor: &TensorInfo) -> Text {
    let text = name.append_to(text.str("`")).str("`");
    if name.is(tensor.name) { text } else { text.str(" (declared as `").str(tensor.name).str("`)") }
}

/// The names are not those of the network.
const fn misnamed<N: Network>(file: &EmbeddedFile, fault: NamesFault) -> Text {
    let text = Text::new().str(file.name).str(": the names are not those of ").str(N::NAME).str(": ");
    match fault {
        NamesFault::Unused { ours, theirs } => {
            text.str("the entry (`").str(ours).str("`, `").str(theirs).str("`) names no tensor of it")
        }
        NamesFault::Twice { first, second, names } => {
            let text = text.str("`").str(first).str("` and `").str(second).str("` are both called `");
            names.theirs(second).append_to(text).str("`")
        }
    }
}

/// No tensor of that name.
const fn missing<N: Network>(file: &EmbeddedFile, wanted: &TensorInfo) -> Text {
    // More would hide the message.
    const SHOWN: usize = 8;
    let text = Text::new().str(file.name).str(": no tensor ");
    let text = both(text, &file.names.theirs(wanted.name), wanted).str("; ").str(N::NAME);
    let mut text = shape(text.str(" wants it, as "), wanted.shape).str("; the file has ");
    if file.tensors.is_empty() {
        return text.str("no tensors");
    }
    let mut i = 0;
    while i < file.tensors.len() && i < SHOWN {
        text = text.str(if i == 0 { "`" } else { ", `" }).str(file.tensors[i].name).str("`");
        i += 1;
    }
    if file.tensors.len() > SHOWN {
        text = text.str(" and ").num(file.tensors.len() - SHOWN).str(" more");
    }
    text
}

/// The file's tensor of that name, looked for from `first` on: files mostly have a network's order.
const fn find(file: &EmbeddedFile, name: &FileName<'_>, first: usize) -> Option<&'static EmbeddedTensor> {
    let tensors = file.tensors;
    let mut i = 0;
    while i < tensors.len() {
        let tensor = &tensors[(first + i) % tensors.len()];
        if name.is(tensor.name) {
            return Some(tensor);
        }
        i += 1;
    }
    None
}

/// Whether the network has a tensor of that name, or one that makes it of no interest: PyTorch's batch normalisation counts its steps, which nothing
/// here depends on.
const fn is_known(names: Names, tensors: &[TensorInfo], name: &str, first: usize) -> bool {
    let mut i = 0;
    while i < tensors.len() {
        let known = names.theirs(tensors[(first + i) % tensors.len()].name);
        if known.is(name) || known.is_counted_by(name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn same_shape(a: &[usize], b: &[usize]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// `[6, 1, 5, 5]`
const fn shape(text: Text, shape: &[usize]) -> Text {
    let mut text = text.str("[");
    let mut i = 0;
    while i < shape.len() {
        text = text.str(if i == 0 { "" } else { ", " }).num(shape[i]);
        i += 1;
    }
    text.str("]")
}
