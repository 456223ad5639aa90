//! [`Samples`]: what can be learned from.

use std::sync::Arc;

/// A data set in memory: inputs, and a target for each.
///
/// A pair of slices, vectors or arrays is one: `(images, labels)`, `(&images, &labels)`.
pub trait Samples {
    /// An input: a tensor.
    type Input;
    /// A target: a class label, or whatever the loss takes.
    type Target;

    /// The inputs.
    fn inputs(&self) -> &[Self::Input];

    /// The targets: as many as inputs, in the same order.
    fn targets(&self) -> &[Self::Target];
}

impl<S: Samples + ?Sized> Samples for &S {
    type Input = S::Input;
    type Target = S::Target;

    fn inputs(&self) -> &[Self::Input] {
        (**self).inputs()
    }

    fn targets(&self) -> &[Self::Target] {
        (**self).targets()
    }
}

impl<A: Items + ?Sized, B: Items + ?Sized> Samples for (&A, &B) {
    type Input = A::Item;
    type Target = B::Item;

    fn inputs(&self) -> &[A::Item] {
        self.0.items()
    }

    fn targets(&self) -> &[B::Item] {
        self.1.items()
    }
}

impl<I, L> Samples for (Vec<I>, Vec<L>) {
    type Input = I;
    type Target = L;

    fn inputs(&self) -> &[I] {
        &self.0
    }

    fn targets(&self) -> &[L] {
        &self.1
    }
}

impl<I, L> Samples for (Box<[I]>, Box<[L]>) {
    type Input = I;
    type Target = L;

    fn inputs(&self) -> &[I] {
        &self.0
    }

    fn targets(&self) -> &[L] {
        &self.1
    }
}

/// What is a slice when borrowed; so that pairs of references to vectors, arrays and slices are [`Samples`] alike.
pub trait Items {
    /// An item.
    type Item;

    /// The items.
    fn items(&self) -> &[Self::Item];
}

impl<T> Items for [T] {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

impl<T, const N: usize> Items for [T; N] {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

macro_rules! items {
    ($($owner:ty),*) => {$(
        impl<T> Items for $owner {
            type Item = T;

            fn items(&self) -> &[T] {
                self
            }
        }
    )*};
}
items!(Vec<T>, Box<[T]>, Arc<[T]>);

#[cfg(test)]
mod tests {
    use super::*;

    fn count<S: Samples<Input = u16, Target = u8>>(samples: &S) -> (usize, usize) {
        (samples.inputs().len(), samples.targets().len())
    }

    #[test]
    fn pairs_of_all_kinds() {
        let (inputs, targets) = (vec![1_u16, 2], vec![3_u8, 4]);
        assert_eq!(count(&(&inputs, &targets)), (2, 2));
        assert_eq!(count(&(&inputs[..1], &targets[1..])), (1, 1));
        assert_eq!(count(&(&[1_u16, 2, 3], &*targets)), (3, 2));
        assert_eq!(count(&&(inputs, targets)), (2, 2));
    }
}
