#![deny(warnings)]
use tenonet::prelude::*;

network! {
    pub struct LeNet([1, 28, 28] -> [10]) {
        conv1: conv(6, kernel = 50), relu, max_pool(2),
        flatten,
        fc: liner(10),
    }
}

static SCRATCH: LeNetScratch = LeNetScratch::ZERO;
const WORDS: [usize; LeNet::LAYERS.len()] = [LeNet::PARAMS + LeNet::MACS; LeNet::LAYERS.len()];

fn main() {
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    let mut net = LeNet::init(&mut rng);
    let x = Tensor::<1, 28, 28>::zeros();
    let y: Tensor<10> = net.forward(&x, &mut LeNet::scratch());
    net.conv1.weight[0][0][0][0] += net.fc.bias[0] + y.as_slice()[0];
    let wide: Box<LeNet<f64>> = Network::init(&mut rng);
    println!("{} {:?} {}", LeNet::summary(), WORDS, LeNet::WEIGHT_BYTES + size_of_val(&SCRATCH) + wide.params().len());
}
