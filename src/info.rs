//! The tables of a network: its layers and its tensors, as plain data.

use core::ops::Range;

use crate::shape::Shape;

/// One row of a network's table: a layer as it was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    /// The declared name, or kind and position.
    pub name: &'static str,
    /// The kind, as in the declaration: `conv`, `relu`, ….
    pub kind: &'static str,
    /// What leaves the layer.
    pub output: Shape,
    /// Parameters.
    pub params: usize,
    /// Multiply-adds for one input.
    pub macs: usize,
}

/// One tensor of a network: parameters, or running averages.
///
/// Weight files hold PyTorch's shapes and order of elements; memory holds what the kernels read, so that nothing is packed or turned at run
/// time. [`MemoryOrder`] says how the two differ, and the copies below go from one to the other:
///
/// ```
/// use tenonet::prelude::*;
///
/// network! {
///     struct Net([3] -> [2]) { fc: linear(2) }
/// }
///
/// let weight = &Net::TENSORS[0];
/// assert_eq!((weight.name, weight.shape), ("fc.weight", &[2, 3][..]));
/// let mut net = Net::zeroed_box();
/// weight.copy_from_file_order(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut net.params_mut()[weight.range()]);
/// assert_eq!(net.fc.weight, [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name in weight files: `conv1.weight`.
    pub name: &'static str,
    /// The shape in weight files, PyTorch's order: `[out, in, height, width]`, of `conv1d` `[out, in, length]`, `[out, in]`, `[out]`.
    pub shape: &'static [usize],
    /// The order of its elements in memory.
    pub memory: MemoryOrder,
    /// The first element's place in [`Network::params`](crate::Network::params).
    pub offset: usize,
    /// What it is, and how to initialise it.
    pub role: Role,
}

impl TensorInfo {
    /// Elements.
    pub const fn len(&self) -> usize {
        let (mut len, mut i) = (1, 0);
        while i < self.shape.len() {
            len *= self.shape[i];
            i += 1;
        }
        len
    }

    /// Whether it has no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its elements' places in [`Network::params`](crate::Network::params).
    pub const fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Where the file's element `index` lies in memory, both counted from the tensor's first.
    pub const fn memory_index(&self, index: usize) -> usize {
        match self.sides() {
            Some([outputs, inputs, kernel]) if outputs * inputs * kernel > 0 => {
                let (o, i, k) = (index / (inputs * kernel), index / kernel % inputs, index % kernel);
                self.place([outputs, inputs], [o, i, k])
            }
            _ => index,
        }
    }

    /// Copies the elements from memory into the order of files.
    ///
    /// # Panics
    /// If a slice has another length than the tensor.
    pub fn copy_to_file_order<E: Copy>(&self, memory: &[E], file: &mut [E]) {
        assert_eq!(file.len(), self.len(), "elements of {} in a file's order", self.name);
        match self.sides() {
            Some([outputs, ..]) => self.copy_outputs_to_file_order(0..outputs, memory, file),
            None => file.copy_from_slice(memory),
        }
    }

    /// [`copy_to_file_order`](Self::copy_to_file_order) of some outputs alone, which are neighbours in files.
    pub(crate) fn copy_outputs_to_file_order<E: Copy>(&self, outputs: Range<usize>, memory: &[E], file: &mut [E]) {
        assert_eq!(memory.len(), self.len(), "elements of {} in memory", self.name);
        let first = outputs.start * file.len().checked_div(outputs.len()).unwrap_or(0);
        self.each_place(outputs, |at, from| file[at - first] = memory[from]);
    }

    /// Copies the elements from the order of files into memory.
    ///
    /// # Panics
    /// If a slice has another length than the tensor.
    pub fn copy_from_file_order<E: Copy>(&self, file: &[E], memory: &mut [E]) {
        assert_eq!(file.len(), self.len(), "elements of {} in a file's order", self.name);
        assert_eq!(memory.len(), self.len(), "elements of {} in memory", self.name);
        match self.sides() {
            Some([outputs, ..]) => self.each_place(0..outputs, |from, at| memory[at] = file[from]),
            None => memory.copy_from_slice(file),
        }
    }

    /// Where element `[o, i, k]` of the file lies in memory.
    #[inline]
    const fn place(&self, [outputs, inputs]: [usize; 2], [o, i, k]: [usize; 3]) -> usize {
        match self.memory {
            MemoryOrder::Transposed { groups } => {
                // The file's first dimension is the layer's inputs, of which a group has so many.
                let own = match outputs.checked_div(groups) {
                    Some(own) if own > 0 => own,
                    _ => 1,
                };
                let (group, own_input) = (o / own, o % own);
                (k * own + own_input) * (inputs * groups) + group * inputs + i
            }
            _ => (k * inputs + i) * outputs + o,
        }
    }

    /// Outputs, inputs and places of the kernel of a tensor whose orders differ: `[O, I, K]` in files, `[K][I][O]` in memory. (Of a transposed
    /// convolution the file has the inputs first.)
    pub(crate) const fn sides(&self) -> Option<[usize; 3]> {
        match (self.memory, self.shape) {
            (MemoryOrder::OutputsLast | MemoryOrder::Transposed { .. }, [outputs, inputs, kernel @ ..]) => {
                let (mut places, mut i) = (1, 0);
                while i < kernel.len() {
                    places *= kernel[i];
                    i += 1;
                }
                Some([*outputs, *inputs, places])
            }
            // As a matrix of channels and places, of which the channels are the fastest.
            (MemoryOrder::Pixels, [channels, map @ ..]) => {
                let (mut places, mut i) = (1, 0);
                while i < map.len() {
                    places *= map[i];
                    i += 1;
                }
                Some([*channels, places, 1])
            }
            _ => None,
        }
    }

    /// Calls `f(place in the file, place in memory)` for each element of these outputs.
    fn each_place(&self, of: Range<usize>, mut f: impl FnMut(usize, usize)) {
        // In tiles: 16 f32 are a line of the cache, which is then used whole on both sides. 4096 × 25088 elements take a quarter of a second from a
        // file's order and half a second to it.
        const TILE: usize = 16;
        let Some([outputs, inputs, kernel]) = self.sides() else { return };
        for first_o in of.clone().step_by(TILE) {
            for first_i in (0..inputs).step_by(TILE) {
                for k in 0..kernel {
                    for i in first_i..inputs.min(first_i + TILE) {
                        for o in first_o..of.end.min(first_o + TILE) {
                            f((o * inputs + i) * kernel + k, self.place([outputs, inputs], [o, i, k]));
                        }
                    }
                }
            }
        }
    }
}

/// The order of a tensor's elements in memory, beside that of files, where the last dimension is the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryOrder {
    /// As in files.
    Same,
    /// The outputs are the fastest, then the inputs: `[out, in, height, width]` lies as `[height][width][in][out]`, and `[out, in]` as
    /// `[in][out]`. A kernel reads weights as vectors along the outputs, so it reads them as they lie.
    OutputsLast,
    /// That of maps inside a network, `[channels, height, width]` as `[height][width][channels]`.
    Pixels,
    /// That of a transposed convolution's kernels, `[in, out / groups, height, width]` as `[height][width][in / groups][out]`: its kernel
    /// reads them as vectors along the outputs, too.
    Transposed {
        /// Groups of channels.
        groups: usize,
    },
}

/// What a tensor is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix or a set of kernels.
    Weight {
        /// Inputs that one output sums.
        fan_in: usize,
        /// Outputs that one input reaches.
        fan_out: usize,
    },
    /// Added to a weighted sum, or to what was scaled.
    Bias,
    /// What a channel, or an element that was normalised, is multiplied with.
    Scale,
    /// What is added to a channel, or to an element that was normalised, whatever came before.
    Shift,
    /// A running average of a channel's mean: no parameter.
    Mean,
    /// A running average of a channel's variance: no parameter.
    Variance,
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    const fn tensor(shape: &'static [usize], memory: MemoryOrder) -> TensorInfo {
        TensorInfo { name: "t", shape, memory, offset: 3, role: Role::Bias }
    }

    fn in_memory(tensor: &TensorInfo) -> Vec<usize> {
        let file: Vec<usize> = (0..tensor.len()).collect();
        let mut memory = vec![usize::MAX; tensor.len()];
        tensor.copy_from_file_order(&file, &mut memory);
        memory
    }

    #[test]
    fn outputs_are_last() {
        let kernels = tensor(&[2, 3, 1, 2], MemoryOrder::OutputsLast);
        assert_eq!((kernels.len(), kernels.range()), (12, 3..15));
        // [o][i][v] is element 6 o + 2 i + v of the file.
        assert_eq!(in_memory(&kernels), [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
        assert_eq!(in_memory(&tensor(&[2, 3], MemoryOrder::OutputsLast)), [0, 3, 1, 4, 2, 5]);
        assert_eq!(in_memory(&tensor(&[2, 3], MemoryOrder::Same)), [0, 1, 2, 3, 4, 5]);
        assert_eq!(in_memory(&tensor(&[4], MemoryOrder::OutputsLast)), [0, 1, 2, 3]);
        // [i][o][v], from 4 to 2 · 1 channels in two groups: [v][i / 2][o].
        let spread = tensor(&[4, 1, 1, 2], MemoryOrder::Transposed { groups: 2 });
        assert_eq!(in_memory(&spread), [0, 4, 2, 6, 1, 5, 3, 7]);
        let spread = tensor(&[2, 3, 1, 1], MemoryOrder::Transposed { groups: 1 });
        assert_eq!(in_memory(&spread), [0, 1, 2, 3, 4, 5]);
        // Two channels of 1 × 3.
        assert_eq!(in_memory(&tensor(&[2, 1, 3], MemoryOrder::Pixels)), [0, 3, 1, 4, 2, 5]);
        assert_eq!(in_memory(&tensor(&[4], MemoryOrder::Pixels)), [0, 1, 2, 3]);
    }

    /// Of sizes around a tile's, there and back, and as the index says.
    #[test]
    fn copies_are_inverse() {
        const SHAPES: [&[usize]; 10] = [
            &[],
            &[7],
            &[1, 1],
            &[16, 17],
            &[33, 15],
            &[5, 0],
            &[0, 5],
            &[17, 1, 3, 3],
            &[1, 20, 2, 3],
            &[31, 18, 1, 5],
        ];
        for shape in SHAPES {
            for memory in [
                MemoryOrder::Same,
                MemoryOrder::OutputsLast,
                MemoryOrder::Pixels,
                MemoryOrder::Transposed { groups: 1 },
            ] {
                let tensor = tensor(shape, memory);
                let memory = in_memory(&tensor);
                assert!((0..tensor.len()).all(|index| memory[tensor.memory_index(index)] == index), "{shape:?}");
                let mut file = vec![usize::MAX; tensor.len()];
                tensor.copy_to_file_order(&memory, &mut file);
                assert!(file.iter().enumerate().all(|(index, element)| *element == index), "{shape:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "elements of t in memory")]
    fn another_length_is_told() {
        tensor(&[2, 3], MemoryOrder::OutputsLast).copy_to_file_order(&[0; 5], &mut [0; 6]);
    }
}
