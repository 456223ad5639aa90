//! The permutation from a file's order to that of memory, for the compiler's interpreter.
//!
//! It computes what [`TensorInfo::copy_from_file_order`] does. To the interpreter one statement costs about as much as another, and a call more than a
//! dozen of them, so elements are moved in blocks: 16 × 16 of them take two assignments an element and no call.

use crate::info::{MemoryOrder, TensorInfo};

/// Copies the elements of a tensor from the order of files into memory.
pub(super) const fn copy_from_file_order<T: Copy>(tensor: &TensorInfo, file: &[T], memory: &mut [T]) {
    let Some([outputs, inputs, kernel]) = tensor.sides() else { return memory.copy_from_slice(file) };
    if file.is_empty() {
        return;
    }
    let MemoryOrder::Transposed { groups } = tensor.memory else {
        // [O, I, K] becomes [K][I][O].
        let to = Columns { rows: outputs, first: 0, inner: kernel, inner_step: inputs * outputs, outer_step: outputs };
        return turn(file, memory, to);
    };
    // The layer's inputs come first in the file. Of each of them [O, K] becomes [K][…][O], where a group's other inputs and the other groups lie between.
    let own = outputs / groups;
    let (mut input, mut rest) = (0, file);
    while input < outputs {
        let (matrix, others) = rest.split_at(inputs * kernel);
        let first = input % own * (inputs * groups) + input / own * inputs;
        let inner_step = own * (inputs * groups);
        turn(matrix, memory, Columns { rows: inputs, first, inner: kernel, inner_step, outer_step: 0 });
        (rest, input) = (others, input + 1);
    }
}

/// Where the columns of a matrix come to lie, as rows.
#[derive(Clone, Copy)]
struct Columns {
    /// Rows of the matrix: elements that come to lie side by side. All places below are multiples of it.
    rows: usize,
    /// The place of the first column.
    first: usize,
    /// Columns that follow each other at the inner step.
    inner: usize,
    /// From one of them to the next.
    inner_step: usize,
    /// From the first of them to the next first.
    outer_step: usize,
}

/// Puts the columns of a matrix to their places, in strips as high as divide it.
const fn turn<T: Copy>(matrix: &[T], memory: &mut [T], to: Columns) {
    if to.rows.is_multiple_of(16) {
        strips_of_16(matrix, memory, to);
    } else if to.rows.is_multiple_of(4) {
        strips_of_4(matrix, memory, to);
    } else {
        strips_of_1(matrix, memory, to);
    }
}

/// Elements side by side, as fields: an interpreter reaches them without the test of an index.
#[repr(C)]
struct Block<T>(T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T);

/// A row as whole blocks; what is left over is not in them.
#[allow(unsafe_code, reason = "a view of arrays as structs of as many elements")]
const fn blocks<T>(row: &[T]) -> &[Block<T>] {
    let arrays = row.as_chunks::<16>().0;
    // SAFETY: a `repr(C)` struct of 16 elements of one type lies as an array of them does.
    unsafe { core::slice::from_raw_parts(arrays.as_ptr().cast(), arrays.len()) }
}

/// A function for strips of so many rows: for each of them a name for its blocks, for the first of these, and for those behind it.
macro_rules! strips {
    ($name:ident, $height:literal, $($row:ident $block:ident $behind:ident),*) => {
        const fn $name<T: Copy>(matrix: &[T], memory: &mut [T], to: Columns) {
            let columns = matrix.len() / to.rows;
            let memory = memory.as_chunks_mut::<$height>().0;
            let (inner_step, outer_step) = (to.inner_step / $height, to.outer_step / $height);
            let (mut strip, mut rest) = (0, matrix);
            while strip < to.rows / $height {
                let (rows, others) = rest.split_at($height * columns);
                rest = others;
                let mut left = rows;
                $(
                    let (row, others) = left.split_at(columns);
                    let mut $row = blocks(row);
                    left = others;
                )*
                debug_assert!(left.is_empty());
                // Where the next column goes; where the first of its inner ones went, and how many did.
                let mut at = to.first / $height + strip;
                let (mut outer, mut inner, mut column) = (at, 0, 0);
                macro_rules! store {
                    ($elements:expr) => {
                        memory[at] = $elements;
                        inner += 1;
                        if inner == to.inner {
                            outer += outer_step;
                            (at, inner) = (outer, 0);
                        } else {
                            at += inner_step;
                        }
                    };
                }
                while let ($([$block, $behind @ ..],)*) = ($($row,)*) {
                    $($row = $behind;)*
                    strips!(@columns store, [$($block)*], 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
                    column += 16;
                }
                while column < columns {
                    let mut elements = [rows[column]; $height];
                    let mut row = 1;
                    while row < $height {
                        elements[row] = rows[row * columns + column];
                        row += 1;
                    }
                    store!(elements);
                    column += 1;
                }
                strip += 1;
            }
        }
    };
    (@columns $store:ident, $blocks:tt, $($field:tt)*) => {
        $($store!(strips!(@column $field, $blocks));)*
    };
    (@column $field:tt, [$($block:ident)*]) => {
        [$($block.$field),*]
    };
}

strips!(strips_of_16, 16, s0 x0 r0, s1 x1 r1, s2 x2 r2, s3 x3 r3, s4 x4 r4, s5 x5 r5, s6 x6 r6, s7 x7 r7, s8 x8 r8, s9 x9 r9, s10 x10 r10, s11 x11 r11, s12 x12 r12, s13 x13 r13, s14 x14 r14, s15 x15 r15);
strips!(strips_of_4, 4, s0 x0 r0, s1 x1 r1, s2 x2 r2, s3 x3 r3);
strips!(strips_of_1, 1, s0 x0 r0);

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::info::Role;

    /// For heights of all strips, widths around a block's, and all orders.
    #[test]
    fn is_the_order_at_run_time() {
        const SHAPES: [&[usize]; 12] = [
            &[],
            &[7],
            &[1, 1],
            &[16, 17],
            &[32, 16],
            &[4, 33],
            &[5, 0],
            &[0, 5],
            &[17, 1, 3, 3],
            &[16, 20, 2, 3],
            &[6, 16, 2, 2],
            &[12, 5, 5, 5],
        ];
        for shape in SHAPES {
            for memory in [
                MemoryOrder::Same,
                MemoryOrder::OutputsLast,
                MemoryOrder::Pixels,
                MemoryOrder::Transposed { groups: 1 },
                MemoryOrder::Transposed { groups: 2 },
            ] {
                let in_pairs = shape.first().is_some_and(|inputs| inputs.is_multiple_of(2));
                if memory == (MemoryOrder::Transposed { groups: 2 }) && !in_pairs {
                    continue;
                }
                let tensor = TensorInfo { name: "t", shape, memory, offset: 3, role: Role::Bias };
                let file: Vec<u32> = (0..tensor.len() as u32).collect();
                let (mut wanted, mut found) = (vec![u32::MAX; file.len()], vec![u32::MAX; file.len()]);
                tensor.copy_from_file_order(&file, &mut wanted);
                copy_from_file_order(&tensor, &file, &mut found);
                assert_eq!(found, wanted, "{shape:?} {memory:?}");
            }
        }
    }
}
