use tenonet::network;

network! {
    #[macro_export]
    struct Block([4] -> [4]) { linear(4), relu }
}

fn main() {}
