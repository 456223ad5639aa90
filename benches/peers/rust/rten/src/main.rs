//! rten, on the ONNX files in the folder that is its argument.

use std::path::Path;

use contest::networks::{self, BATCH};
use contest::{Contest, noise};
use rten::{Model, ModelOptions};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of ONNX files");
    let mut contest = Contest::new("rten 0.27.0");
    for network in networks::all() {
        for batch in [1, BATCH] {
            let path = Path::new(&folder).join(network.name).with_extension("onnx");
            let [c, h, w] = network.input;
            contest.case(&format!("{}/forward_{batch}", network.name), move || {
                let input = NdTensor::from_data([batch, c, h, w], noise(batch * c * h * w));
                let model: Model =
                    ModelOptions::with_all_ops().prepack_weights(true).load_file(path).expect("rten reads the network");
                move || model.run_one(input.view().into(), None).expect("rten runs the network")
            });
        }
    }
    contest.serve();
}
