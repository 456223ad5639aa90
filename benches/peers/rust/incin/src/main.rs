//! incin: LeNet-5, whose sizes are types. Its convolutions' weights do not move in training, so that is left out.

use contest::networks::BATCH;
use contest::{Contest, noise};
use incin::prelude::*;
use typenum::{U0, U1, U2};

type B = IncinBackend<Cpu>;

fn case(batch: usize) -> Result<impl FnMut() -> Result<Tensor<Dyn, B, f32, Grad>>> {
    // Out and in channels, kernel, stride, padding, dilation.
    let conv1 = Conv2d::<s![6, 1, 5, 1, 2, 1], B>::build(())?;
    let conv2 = Conv2d::<s![16, 6, 5, 1, 0, 1], B>::build(())?;
    let fc1 = Linear::<Dyn, B>::build((400, 120))?;
    let fc2 = Linear::<Dyn, B>::build((120, 84))?;
    let fc3 = Linear::<Dyn, B>::build((84, 10))?;
    let x: Tensor<Dyn, B> = Cpu.tensor_from_vec(noise(batch * 28 * 28), vec![batch, 1, 28, 28])?;
    Ok(move || {
        let x = conv1.forward(x.clone())?.relu()?.max_pool2d::<U2, U2, U0, U1>()?;
        let x = conv2.forward(x)?.relu()?.max_pool2d::<U2, U2, U0, U1>()?;
        let x = x.try_reshape(vec![batch, 400])?;
        let x = fc1.forward(x)?.relu()?;
        let x = fc2.forward(x)?.relu()?;
        fc3.forward(x)
    })
}

fn main() {
    let mut contest = Contest::new("incin 0.1.0");
    for batch in [1, BATCH] {
        contest.case(&format!("lenet5/forward_{batch}"), move || {
            let mut call = case(batch).expect("incin builds the network");
            move || call().expect("incin runs the network")
        });
    }
    contest.serve();
}
