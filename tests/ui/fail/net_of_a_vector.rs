use tenonet::network;

network! {
    struct Head([64] -> [10]) { linear(10) }
}
network! {
    struct Net([4, 4, 4] -> [10]) { relu, net(Head) }
}

fn main() {}
