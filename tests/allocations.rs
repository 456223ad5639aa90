//! The hot path does not allocate: counted by the allocator itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tenonet::loss::{Loss, TargetFault};
use tenonet::prelude::*;

/// The system's allocator, which counts what all threads ask of it.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The least number of allocations that `f` makes in some runs. The least: the test harness' own threads may allocate, too.
fn allocations(mut f: impl FnMut()) -> usize {
    // One test at a time counts.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
    let run = |_| {
        let before = ALLOCATIONS.load(Relaxed);
        f();
        ALLOCATIONS.load(Relaxed) - before
    };
    (0..5).map(run).min().unwrap_or(0)
}

network! {
    /// LeNet-5 with a little of everything.
    struct Net([1, 16, 16] -> [10]) {
        conv(4, kernel = 5, padding = 2), relu, max_pool(2),
        conv(6, kernel = 3, stride = 2, padding = 1), gelu, avg_pool(2),
        conv(6, kernel = 2, groups = depthwise), silu, max_pool(1),
        flatten, linear(20), tanh, linear(10), softmax,
    }
}

/// `Σ y · t`, whose gradient is `t`.
struct Weighted;

impl Loss<Tensor<10>, f32> for Weighted {
    fn value(&self, y: &Tensor<10>, target: &f32) -> f32 {
        y.as_slice().iter().sum::<f32>() * target
    }

    fn value_and_grad(&self, y: &Tensor<10>, target: &f32, dy: &mut Tensor<10>) -> f32 {
        dy.as_mut_slice().fill(*target);
        self.value(y, target)
    }

    fn check(&self, _: &f32) -> Result<(), TargetFault> {
        Ok(())
    }
}

/// The counter counts: without it, no test here could fail.
#[test]
fn allocations_are_seen() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(7)))), 1);
    assert_eq!(allocations(|| drop(std::hint::black_box(Net::scratch()))), 1);
}

#[test]
fn forward_never_allocates() {
    let net = Net::init(&mut StdRng::seed_from_u64(1));
    let mut scratch = Net::scratch();
    let x = Tensor::zeros();
    let run = || {
        std::hint::black_box(net.forward(&x, &mut scratch));
    };
    assert_eq!(allocations(run), 0);
}

network! {
    /// A convolution that goes by Winograd's tiles on a host.
    struct Tiled([16, 12, 12] -> [16, 6, 6]) { conv(16, kernel = 3, padding = 1), relu, max_pool(2) }
}

/// The space that a thread keeps is made by the first call, and again only for a network that wants more.
#[test]
fn a_threads_space_is_allocated_once() {
    const { assert!(Tiled::THREAD_BYTES > 0 && Net::THREAD_BYTES == 0) };
    let net = Tiled::init(&mut StdRng::seed_from_u64(1));
    let mut scratch = Tiled::scratch();
    let x = Tensor::zeros();
    let mut forward = || {
        std::hint::black_box(net.forward(&x, &mut scratch));
    };
    forward();
    assert_eq!(allocations(forward), 0);
    // So it is in training.
    let (mut grad, mut workspace) = (Tiled::zeroed_box(), Workspace::<Tiled, 3>::boxed());
    let (inputs, targets) = (vec![Tensor::zeros(); 7], vec![Tensor::zeros(); 7]);
    let mut train = || {
        net.accumulate_grad(&inputs, &targets, &SquaredError, 1.0, &mut grad, workspace.as_parts()).unwrap();
    };
    train();
    assert_eq!(allocations(train), 0);
    // A thread that has none yet.
    let on_another = || {
        std::thread::scope(|scope| {
            let mut scratch = Tiled::scratch();
            let (net, x) = (&net, &x);
            scope.spawn(move || std::hint::black_box(net.forward(x, &mut scratch)));
        });
    };
    let with_nothing_to_do = || {
        std::thread::scope(|scope| {
            let mut scratch = Tiled::scratch();
            scope.spawn(move || std::hint::black_box(&mut scratch).as_ref() as *const Scratch<Tiled> as usize);
        });
    };
    assert!(allocations(on_another) > allocations(with_nothing_to_do));
}

#[test]
fn forward_batch_allocates_for_no_image() {
    let net = Net::init(&mut StdRng::seed_from_u64(1));
    let count = |n: usize| {
        let inputs = vec![Tensor::zeros(); n];
        let mut outputs = vec![Tensor::zeros(); n];
        // Every thread of the pool gets its scratch.
        for _ in 0..10 {
            net.forward_batch(&inputs, &mut outputs).unwrap();
        }
        allocations(|| net.forward_batch(&inputs, &mut outputs).unwrap())
    };
    let (few, many) = (count(16), count(320));
    assert_eq!((few, many), (0, 0), "allocations for 16 and for 320 images");
}

#[test]
fn loss_and_grad_allocates_once() {
    let net = Net::init(&mut StdRng::seed_from_u64(1));
    let mut grad = Net::zeroed_box();
    let (inputs, targets) = (vec![Tensor::zeros(); 40], vec![0.5; 40]);
    // The workspace is made by the first call.
    net.loss_and_grad(&inputs, &targets, &Weighted, &mut grad).unwrap();
    let run = || {
        net.loss_and_grad(&inputs, &targets, &Weighted, &mut grad).unwrap();
    };
    assert_eq!(allocations(run), 0);
}

/// A workspace of the caller's: nothing from the beginning.
#[test]
fn accumulate_grad_never_allocates() {
    let net = Net::init(&mut StdRng::seed_from_u64(1));
    let mut grad = Net::zeroed_box();
    let mut workspace = Workspace::<Net, 3>::boxed();
    let (inputs, targets) = (vec![Tensor::zeros(); 7], vec![0.5; 7]);
    let run = || {
        net.accumulate_grad(&inputs, &targets, &Weighted, 1.0, &mut grad, workspace.as_parts()).unwrap();
    };
    assert_eq!(allocations(run), 0);
}
