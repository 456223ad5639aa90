use tenonet::network;

network! {
    struct Head([4] -> [4]) { linear(4) }
}
network! {
    struct Net([4] -> [4]) { relu, net(Haed) }
}

fn main() {}
