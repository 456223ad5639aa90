//! Networks within networks: from other modules, of macros, in functions, in one another, with constants and in blocks.
#![deny(warnings)]

use tenonet::prelude::*;

mod parts {
    use tenonet::network;

    const WIDTH: usize = 4;
    const EPSILON: f64 = 1e-3;

    network! {
        pub struct Backbone([3, 8, 8] -> [WIDTH * 2, 4, 4]) {
            conv1: conv(WIDTH, kernel = 3, padding = same), bn: batch_norm(epsilon = EPSILON), relu,
            concat { {}, { conv2: conv(WIDTH, kernel = (1, WIDTH - 1), padding = (0, 1)) } },
            max_pool(2),
        }
    }

    pub mod heads {
        network! {
            pub(in crate::parts) struct Hidden([8, 4, 4] -> [5]) { flatten, fc: linear(5) }
        }
        network! {
            pub(crate) struct Head([8, 4, 4] -> [3]) { net(Hidden), leaky_relu(0.1), dropout(0.5), out: linear(3) }
        }
        use tenonet::network;
    }
}

/// A block of a width: a generic one.
macro_rules! block {
    ($name:ident, $width:expr, $(#[$attr:meta])* $vis:vis) => {
        tenonet::network! {
            $(#[$attr])*
            $vis struct $name([$width, 4, 4] -> [$width, 4, 4]) {
                residual { conv: conv($width, kernel = 3, padding = 1, bias = false), bn: batch_norm, silu },
            }
        }
    };
}
block!(Block8, 8, #[derive(Clone)] pub);

/// A network around a block that is named from outside.
macro_rules! around {
    ($name:ident, $block:path) => {
        network! {
            #[derive(Clone, Debug)]
            struct $name([3, 8, 8] -> [3]) {
                backbone: net(parts::Backbone),
                body: repeat(2) { block: net($block), residual { net($block) } shortcut { skip: net($block) } },
                r#type: net(crate::parts::heads::Head),
            }
        }
    };
}
around!(Net, self::Block8);

fn main() {
    // Declared behind its use, and in a function.
    network! {
        struct Outer([3, 8, 8] -> [2]) { whole: net(Net), local: net(Local) }
    }
    network! {
        struct Local([3] -> [2]) { fc: linear(2) }
    }
    assert_eq!(Outer::PARAMS, Net::PARAMS + Local::PARAMS);
    assert_eq!(Outer::STATISTICS, 2 * 4 + 6 * 2 * 8);
    assert_eq!(Outer::TENSORS[0].name, "whole.backbone.conv1.weight");
    assert!(Outer::TENSORS.iter().any(|tensor| tensor.name == "whole.body_2_skip.conv.weight"));
    assert!(Outer::TENSORS.iter().any(|tensor| tensor.name == "whole.type.net_0.fc.weight" && tensor.shape == [5, 128]));

    let mut outer = Outer::init(&mut rand::rng());
    let local: &[[f32; 2]; 3] = &outer.local.fc.weight;
    assert!(local.as_flattened().iter().all(|weight| weight.is_finite()));
    let mean = outer.statistics.whole.body_1_block.bn.mean;
    assert_eq!(mean, [0.0; 8]);
    let whole = Net::init(&mut rand::rng());
    outer.copy_part_from("whole", &*whole).unwrap();
    assert_eq!(outer.whole.r#type.net_0.fc.weight, whole.r#type.net_0.fc.weight);
    let x = Tensor::<3, 8, 8>::zeros();
    assert_eq!(outer.forward(&x, &mut Outer::scratch()).as_slice().len(), 2);
    let _double: Option<Outer<f64>> = None;
}
