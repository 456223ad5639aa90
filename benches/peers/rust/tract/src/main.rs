//! tract, on the ONNX files in the folder that is its argument.

use std::path::Path;

use contest::networks::{self, BATCH};
use contest::{Contest, noise};
use tract_onnx::prelude::*;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of ONNX files");
    let mut contest = Contest::new("tract-onnx 0.23.9");
    for network in networks::all() {
        for batch in [1, BATCH] {
            let path = Path::new(&folder).join(network.name).with_extension("onnx");
            let [c, h, w] = network.input;
            contest.case(&format!("{}/forward_{batch}", network.name), move || {
                let shape = [batch, c, h, w];
                let input: TValue = Tensor::from_shape(&shape, &noise(batch * c * h * w)).expect("a batch").into();
                let model = tract_onnx::onnx()
                    .model_for_path(path)
                    .and_then(|model| model.with_input_fact(0, f32::fact(shape).into()))
                    .and_then(|model| model.into_optimized())
                    .and_then(|model| model.into_runnable())
                    .expect("tract reads the network");
                move || model.run(tvec!(input.clone())).expect("tract runs the network")
            });
        }
    }
    contest.serve();
}
