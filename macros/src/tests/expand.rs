//! The expansions of whole networks.

use proc_macro2::TokenStream;
use quote::quote;

use super::{mobilenet, network, resnet8};
use crate::ir::Network;

/// A network whose sizes the compiler alone knows.
fn consts() -> TokenStream {
    quote! {
        pub struct Net([3, SIDE, SIDE] -> [CLASSES]) {
            conv1: conv(WIDTH, kernel = 3, padding = same), bn1: batch_norm(epsilon = EPSILON), relu,
            block: residual { conv2: conv(WIDTH, kernel = K, padding = same), relu }, relu,
            max_pool(2), flatten,
            fc: linear(CLASSES), softmax,
        }
    }
}

/// The items of an expansion, without spaces.
fn expansion(tokens: TokenStream) -> String {
    network(tokens.clone());
    let expansion = crate::expansion(tokens);
    let items: syn::File = syn::parse2(expansion.clone()).expect("an expansion is items");
    assert!(items.items.len() >= 4);
    expansion.to_string().replace(' ', "")
}

/// Parameters, running averages, multiply-adds.
fn sums(network: &Network) -> [usize; 3] {
    let shapes = crate::expand::Shapes::new(network);
    let known = shapes.known.iter().flatten();
    known.fold([0; 3], |sums, known| {
        let [params, macs] = known.counts();
        let averages = if matches!(known, crate::expand::Known::BatchNorm(_)) { params } else { 0 };
        [sums[0] + params, sums[1] + averages, sums[2] + macs]
    })
}

#[test]
fn the_sums_are_pytorchs() {
    assert_eq!(sums(&network(resnet8())), [77_946, 480, 12_501_632]);
    assert_eq!(sums(&network(mobilenet())), [213_586, 5_472, 7_489_664]);
}

#[test]
fn resnet8_is_fused() {
    let expansion = expansion(resnet8());
    for part in [
        // The network's input lies in planes.
        "constPLANES:bool=true;",
        // Convolution, batch_norm, sum and activation in one.
        "tn::conv::forward(simd,Conv3,(x,y),&self.conv3.weight,tn::Normed{bias:&self.conv3.bias,norm:&self.bn3,\
         statistics:&self.statistics.bn3,epsilon:1e-5},tn::SkipInPlace,tn::layers::Relu,tn::NoPool,work);",
        "tn::conv::forward(simd,Skip1,(x,y),&self.skip1.weight,tn::Bias(&self.skip1.bias),tn::NoSkip,tn::layers::Identity,",
        // Two maps of 16×32×32 are the most that live at once: the sum takes the place of one of them. Beside them is the kernels' workspace.
        "constWORK:[tn::Lent;9]=[tn::Lent::beside(&[[0,16384]],tn::conv::forward_work(&Conv1::CONV,Conv1::PLANES,tn::Option::None,\
         tn::Wants::Rows,true)),",
        "typeActivations=[T;{tn::largest(&[32768,WORK[0].end(),",
        "let(mutactivations,work)=activations.beside::<{WORK[0].first},{WORK[0].len}>();",
        // In training they stay apart, and the sum takes the place of what nobody reads again.
        "tn::batch_norm::moments(simd,x,from,&mutkept.bn3);",
        "tn::batch_norm::settle::<T,_>(1e-5,n,1024,&mutkept.bn3);letmost=const{tn::inputs_at_a_time(",
        "letat_a_time=tn::equal_parts(n,most);",
        // Backward has what bn2 yielded again, for the input of conv3.
        "tn::batch_norm::backward_in_place(simd,x,dy,&kept.bn3,even);}{let(x,y)=tape.step::<tn::At<tn::Pixels<32,32,16,T>,",
        "tn::batch_norm::normalise(simd,&self.bn3,tn::layers::Identity,x,y,&kept.bn3);",
        "tn::map::add_forward_in_place(simd,tn::layers::Relu,skip,y);",
        "tn::batch_norm::backward_sums(simd,tn::layers::Identity,x,y,dy,&kept.bn3,from,even);",
        "tn::batch_norm::backward_settle(&self.bn3,n,1024,&kept.bn3,even,&mutgrad.bn3,&mutgrad.statistics.bn3,share,);",
        "tn::batch_norm::backward_in_place(simd,x,dy,&kept.bn3,even);",
        // The gradient of what a block reads: beside the identity the branch's first convolution adds its own, beside a shortcut it writes, and the shortcut's adds.
        "&mutgrad.conv2.weight,&mutgrad.conv2.bias,tn::Added(dx),work,);",
        "&mutgrad.skip1.weight,&mutgrad.skip1.bias,tn::Added(dx),work,);",
        "&mutgrad.conv4.weight,&mutgrad.conv4.bias,tn::Written(dx),work,);",
        "&mutgrad.conv1.weight,&mutgrad.conv1.bias,tn::Unwanted,work,);",
        "letResNet8TrainWork{kept,sums:[even,odd],work}=work;",
        "pubstatistics:ResNet8Statistics<T>,",
        "constSTATISTICS:usize=480;",
        "name:\"bn1.running_var\",shape:&[16],memory:tn::MemoryOrder::Same,offset:77962,role:tn::Role::Variance",
    ] {
        assert!(expansion.contains(part), "{part}");
    }
    assert!(!expansion.contains("tn::Skip1") && !expansion.contains("tn::map::accumulate"));
}

/// Kernels that cannot add to a gradient leave theirs beside it.
#[test]
fn gradients_beside_others() {
    let expansion = expansion(quote! {
        pub struct Net([2, 4, 4] -> [3]) {
            conv1: conv(2, kernel = 1), residual { max_pool(3, stride = 1, padding = 1) }, flatten,
            fc: linear(3),
        }
    });
    assert!(expansion.contains("tn::map::accumulate(simd,dx,part);"));
}

#[test]
fn chains_are_as_before() {
    let lenet = expansion(super::lenet());
    for part in [
        "typeActivations=[T;{tn::largest(&[1176,WORK[0].end(),WORK[1].end()])}];",
        // The pooled map lies where the one was that it is made of.
        "letx=activations.one::<tn::At<tn::Pixels<14,14,6,T>,0>>();tn::conv::forward(simd,Conv2,\
         tn::Over::<_,tn::Pixels<5,5,16,T>>::new(x),&self.conv2.weight,tn::Bias(&self.conv2.bias),tn::NoSkip,tn::layers::Relu,\
         tn::MaxPool(MaxPool5),work);",
        "let(x,y)=activations.step::<tn::At<tn::Pixels<5,5,16,T>,0>,",
        "typeTape=[T;2180];",
        "tn::map::to_planes(simd,::tenonet::shape::Shape::new(16,5,5),x,y);",
        "tn::map::to_pixels(simd,::tenonet::shape::Shape::new(16,5,5),dy,dx);",
        "tn::MaxPoolIndexed{pool:MaxPool2,index:indices.one::<tn::At<tn::Pixels<14,14,6,u8>,0>>()}",
        "memory:tn::MemoryOrder::OutputsLast",
    ] {
        assert!(lenet.contains(part), "{part}");
    }
    for part in ["Kept", "LeNetTrainWork", "Statistics<T>", "pubstatistics"] {
        assert!(!lenet.contains(part), "{part}");
    }
}

/// What works in place behind pooled rows that lie over others has a `y`, which they have not.
#[test]
fn in_place_behind_pooled_rows() {
    let expansion = expansion(quote! {
        struct Net([4, 8, 8] -> [4]) { conv(8, kernel = 1), conv(8, kernel = 1), max_pool(2), gelu, global_avg_pool, linear(4) }
    });
    for part in [
        "letx=activations.one::<tn::At<tn::Pixels<8,8,8,T>,0>>();tn::conv::forward(simd,Conv1,tn::Over::<_,tn::Pixels<4,4,8,T>>::new(x),",
        "lety=activations.one::<tn::At<tn::Pixels<4,4,8,T>,0>>();tn::map::forward_in_place(simd,tn::layers::Gelu,y);",
    ] {
        assert!(expansion.contains(part), "{part}");
    }
}

#[test]
fn the_compiler_places_what_the_macro_cannot() {
    let expansion = expansion(consts());
    for part in [
        "constACTIVATIONS:tn::Placement<4>=tn::Placement::new([tn::Life::new(__NetShapes::RELU_2_2_OUT.len(),0,2),",
        "constWORK:[tn::Lent;2]=[tn::Lent::beside(&[[ACTIVATIONS.offsets[0],ACTIVATIONS.offsets[0]+__NetShapes::RELU_2_2_OUT.len()]],",
        "typeActivations=[T;{tn::largest(&[ACTIVATIONS.total,WORK[0].end(),",
        "epsilon:__NetShapes::BN1_1",
        "::tenonet::shape::deny_epsilon(\"bn1\",__NetShapes::BN1_1)",
        "::tenonet::shape::Faults::deny(&__NetShapes::BLOCK_5.faults(),\"block\",::tenonet::shape::Field::Layer)",
        "bn1:[T;{(__NetShapes::CONV1_0_OUT.c)*3}],",
    ] {
        assert!(expansion.contains(part), "{part}");
    }
}

#[test]
fn the_statistics_derive_what_the_network_does() {
    let net = expansion(quote! {
        /// A network.
        #[derive(Clone, Debug)]
        struct Net([4] -> [4]) { batch_norm }
    });
    assert_eq!(net.matches("#[derive(Clone,Debug)]").count(), 2);
    assert_eq!(net.matches("doc=r\"Anetwork.\"").count(), 1);
}
