use tenonet::network;

network! {
    #[folded(NetInference)]
    struct Net([4] -> [4]) { linear(4), relu }
}

network! {
    #[folded]
    struct Unnamed([4] -> [4]) { linear(4), batch_norm }
}

network! {
    #[folded(Same)]
    struct Same([4] -> [4]) { linear(4), batch_norm }
}

network! {
    #[folded(FaultyInference)]
    struct Faulty([4] -> [5]) { linear(4), batch_norm }
}

fn main() {
    println!("{}", FaultyInference::summary());
    Faulty::init(&mut rand::rng()).folded();
}
