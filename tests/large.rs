//! A network of more than 130 million parameters lives on the heap alone: built, run and trained in a thread with a stack of 2 MiB, without optimisation.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tenonet::loss::{Loss, TargetFault};
use tenonet::prelude::*;

network! {
    /// The size of VGG-16, in a shape that takes seconds without optimisation: most of it is one matrix.
    struct Large([3, 32, 32] -> [10]) {
        conv(8, kernel = 3, padding = 1), relu, max_pool(2),
        conv(32, kernel = 3, padding = 1), relu, max_pool(2),
        flatten,
        linear(8192), relu,
        linear(14000), relu,
        linear(10),
    }
}

struct First;

impl Loss<Tensor<10>, ()> for First {
    fn value(&self, y: &Tensor<10>, (): &()) -> f32 {
        y[0][0][0]
    }

    fn value_and_grad(&self, y: &Tensor<10>, (): &(), dy: &mut Tensor<10>) -> f32 {
        dy.as_mut_slice().fill(0.0);
        dy[0][0][0] = 1.0;
        y[0][0][0]
    }

    fn check(&self, (): &()) -> Result<(), TargetFault> {
        Ok(())
    }
}

#[test]
fn in_a_small_stack() {
    const { assert!(Large::PARAMS >= 130_000_000) };
    let run = || {
        let net = Large::init(&mut StdRng::seed_from_u64(1));
        let x = Tensor::<3, 32, 32>::boxed_from_fn(|c, h, w| ((c + 2 * h + 3 * w) % 7) as f32 - 3.0);
        let mut scratch = Large::scratch();
        let y = net.forward(&x, &mut scratch);

        let mut grad = Large::zeroed_box();
        let mut workspace = Workspace::<Large>::boxed();
        let loss = net.accumulate_grad(std::slice::from_ref(&*x), &[()], &First, 1.0, &mut grad, workspace.as_parts());
        (y, loss, grad.params().iter().filter(|d| **d != 0.0).count())
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
    let (y, loss, entries) = thread.join().expect("the stack of 2 MiB is enough");
    assert!(y.as_slice().iter().all(|y| y.is_finite()));
    assert_eq!(loss, Ok(y[0][0][0]));
    assert!(entries > 100_000, "only {entries} entries of the gradient are not zero");
}
