#![deny(warnings)]
use tenonet::prelude::*;

network! {
    pub struct Res([3, 8, 8] -> [10]) {
        conv1: conv(8, kernel = 3, padding = 1), bn1: batch_norm, relu,
        block: residual { conv2: conv(16, kernel = 3, padding = 1), bn2: batch_norm(eps = 1e-3) }, relu,
        global_avg_pool, fc: linear(10),
    }
}

fn main() {
    let mut net = Res::init(&mut rand::make_rng::<rand::rngs::StdRng>());
    let y: Tensor<10> = net.forward(&Tensor::zeros(), &mut Res::scratch());
    net.bn1.weight[0] += net.statistics.bn2.mean[15] + net.conv2.bias[0] + y.as_slice()[0];
    let statistics: &ResStatistics = &net.statistics;
    println!("{} {}", Res::PARAMS, statistics.bn1.variance.len());
}
