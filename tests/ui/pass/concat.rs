//! Joined branches, in a crate that warns of nothing.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms)]

use tenonet::prelude::*;

const WIDTH: usize = 8;

network! {
    /// An Inception block, dense blocks, and a U with its skip.
    #[budget(weights = 64 * 1024, scratch = 256 * 1024)]
    pub struct Joined([3, 16, 16] -> [10]) {
        inception: concat {
            { one: conv(4, kernel = 1), relu },
            { three_in: conv(4, kernel = 1), relu, three: conv(8, kernel = 3, padding = 1), relu },
            { max_pool(3, stride = 1, padding = 1), pool: conv(4, kernel = 1), relu, },
        },
        dense: repeat(2) { concat { {}, { conv: conv(4, kernel = 3, padding = 1, bias = false), bn: batch_norm, relu } } },
        concat { {}, { concat { { tanh }, { relu } } }, {} },
        concat { { global_avg_pool }, { max_pool(16), flatten }, },
        fc: linear(10),
    }
}

network! {
    /// Sizes that only the compiler knows.
    pub struct Sizes([WIDTH, WIDTH, WIDTH] -> [WIDTH * 2 + 3, 4, 4]) {
        r#type: concat { { conv(WIDTH, kernel = 2, stride = 2) }, { max_pool(2) }, { avg_pool(2), conv(WIDTH / 4 + 1, kernel = 1) } },
    }
}

macro_rules! bottlenecks {
    ($($name:ident: $channels:expr),*) => {
        network! {
            /// Branches from a list.
            pub struct Listed([4, 6, 6] -> [9, 6, 6]) {
                concat { $({ $name: conv($channels, kernel = 1), relu }),* },
            }
        }
    };
}

bottlenecks!(a: 2, b: 3, c: WIDTH / 2);

fn main() {
    assert_eq!(Joined::LAYERS[9].name, "inception");
    assert_eq!(Joined::LAYERS.iter().map(|layer| layer.params).sum::<usize>(), Joined::PARAMS);
    let mut rng = rand::make_rng::<rand::rngs::StdRng>();
    let y: Tensor<10> = Joined::init(&mut rng).forward(&Tensor::zeros(), &mut Joined::scratch());
    let z: Tensor<19, 4, 4> = Sizes::init(&mut rng).forward(&Tensor::zeros(), &mut Sizes::scratch());
    assert_eq!(y.as_slice().len() + z.as_slice().len(), 10 + Sizes::LAYERS[4].output.len());
    let listed: Tensor<9, 6, 6> = Listed::init(&mut rng).forward(&Tensor::zeros(), &mut Listed::scratch());
    assert_eq!(listed.as_slice().len(), 9 * 36);
}
