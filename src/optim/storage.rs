//! Where an optimizer keeps its state: on the heap, or in memory that the user gives.

/// Memory for one value per parameter.
///
/// With `std` an optimizer's state is a `Vec` that grows at the first step. Without an allocator it is an array or a
/// (static) slice, of as many elements as the network has parameters.
pub trait Storage<T>: Send {
    /// The values.
    fn values(&self) -> &[T];

    /// The values.
    fn values_mut(&mut self) -> &mut [T];

    /// Whether there is room for exactly `len` values. A storage that has never been used and can grow does so, with zeros.
    fn fit(&mut self, len: usize) -> bool;
}

impl<T: Send, const N: usize> Storage<T> for [T; N] {
    fn values(&self) -> &[T] {
        self
    }

    fn values_mut(&mut self) -> &mut [T] {
        self
    }

    fn fit(&mut self, len: usize) -> bool {
        len == N
    }
}

impl<T: Send> Storage<T> for &mut [T] {
    fn values(&self) -> &[T] {
        self
    }

    fn values_mut(&mut self) -> &mut [T] {
        self
    }

    fn fit(&mut self, len: usize) -> bool {
        self.len() == len
    }
}

#[cfg(feature = "std")]
impl<T: Clone + Default + Send> Storage<T> for Vec<T> {
    fn values(&self) -> &[T] {
        self
    }

    fn values_mut(&mut self) -> &mut [T] {
        self
    }

    fn fit(&mut self, len: usize) -> bool {
        if self.is_empty() {
            self.resize(len, T::default());
        }
        self.len() == len
    }
}

/// What an optimizer keeps its state in unless told: a `Vec` with `std`, a static slice without.
#[cfg(feature = "std")]
pub type DefaultStorage<T> = Vec<T>;

/// What an optimizer keeps its state in unless told: a `Vec` with `std`, a static slice without.
#[cfg(not(feature = "std"))]
pub type DefaultStorage<T> = &'static mut [T];
