//! Optimizers against PyTorch: ten steps on a quadratic whose gradient is written out. `tests/pytorch/optim.py` made the numbers.

use serde_json::Value;
use tenonet::optim::{Adam, AdamW, Optimizer, OptimizerError, Sgd};

fn stored() -> Value {
    serde_json::from_str(include_str!("pytorch/optim.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
}

/// Follows PyTorch's trace of that name; the largest error relative to `1 + |p|`.
fn follow(name: &str, mut optimizer: impl Optimizer<f64>) {
    let stored = stored();
    let (mut params, a, b) = (numbers(&stored["params"]), numbers(&stored["a"]), numbers(&stored["b"]));
    let trace = stored["traces"][name].as_array().unwrap();
    assert_eq!(trace.len(), 10);
    for (t, want) in trace.iter().enumerate() {
        let grads: Vec<f64> = (0..params.len()).map(|i| a[i] * params[i] + b[i] * t as f64).collect();
        optimizer.step(&mut params, &grads).unwrap();
        for (got, want) in params.iter().zip(numbers(want)) {
            assert!((got - want).abs() <= 1e-13 * (1.0 + want.abs()), "{name}, step {t}: {got} against {want}");
        }
    }
    assert_eq!(optimizer.steps(), 10);
}

#[test]
fn sgd_is_pytorchs() {
    follow("sgd", Sgd::new(0.05));
    follow("sgd_decay", Sgd::new(0.05).weight_decay(5e-4));
    follow("sgd_momentum", Sgd::new(0.05).momentum(0.9));
    follow("sgd_nesterov", Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(5e-4));
}

#[test]
fn adam_is_pytorchs() {
    follow("adam", Adam::new(1e-2));
    follow("adam_decay", Adam::new(1e-2).betas(0.8, 0.95).eps(1e-6).weight_decay(0.1));
    follow("adamw", AdamW::new(1e-2));
    follow("adamw_decay", AdamW::new(1e-2).betas(0.8, 0.95).eps(1e-6).weight_decay(0.1));
}

/// The state may lie in arrays or in slices, and need not have been cleared.
#[test]
fn borrowed_and_inline_state_do_the_same() {
    follow("sgd_momentum", Sgd::with_storage(0.05, [f64::NAN; 5]).momentum(0.9));
    let (mut mean, mut square) = ([f64::NAN; 5], [7.0; 5]);
    follow("adam", Adam::with_storage(1e-2, &mut mean[..], &mut square[..]));
    follow("sgd", Sgd::with_storage(0.05, []));
    follow("adamw", &mut AdamW::new(1e-2));
}

/// A state that is read out and written into another optimizer goes on as the first would have.
#[test]
fn state_can_be_carried_over() {
    let grads = [0.3_f32, -1.0, 0.01];
    let (mut first, mut params) = (Adam::new(0.1), [1.0_f32, 2.0, 3.0]);
    for _ in 0..3 {
        first.step(&mut params, &grads).unwrap();
    }
    let mut second = Adam::new(0.1);
    second.prepare(3).unwrap();
    for index in 0..first.state_names().len() {
        second.state_mut(index).copy_from_slice(first.state(index));
    }
    second.set_steps(first.steps());
    let mut copy = params;
    for _ in 0..3 {
        first.step(&mut params, &grads).unwrap();
        second.step(&mut copy, &grads).unwrap();
    }
    assert_eq!(params, copy);
}

#[test]
fn misfits_are_errors_and_change_nothing() {
    let mut params = [1.0_f32, 2.0];
    let refused = |result: Result<(), OptimizerError>, want: &str| {
        assert_eq!(result.unwrap_err().to_string(), want);
    };
    refused(Sgd::new(0.1).step(&mut params, &[1.0]), "optimizer: 2 parameters, but 1 gradients");
    refused(
        Sgd::with_storage(0.1, [0.0; 3]).momentum(0.9).step(&mut params, &[1.0, 1.0]),
        "optimizer: the memory for `momentum` has 3 elements, but there are 2 parameters",
    );
    let mut adam = Adam::new(0.1);
    adam.step(&mut [0.0_f32; 3], &[1.0; 3]).unwrap();
    refused(
        adam.step(&mut params, &[1.0, 1.0]),
        "optimizer: the memory for `mean` has 3 elements, but there are 2 parameters",
    );
    refused(
        Sgd::new(-0.1).step(&mut params, &[1.0, 1.0]),
        "optimizer: `learning_rate` is -0.1, but must be 0 or more, and finite",
    );
    refused(
        Sgd::new(0.1).nesterov(true).step(&mut params, &[1.0, 1.0]),
        "optimizer: `momentum` is 0, but must be above 0 with Nesterov's momentum",
    );
    refused(
        AdamW::new(0.1).betas(0.9, 1.0).step(&mut params, &[1.0, 1.0]),
        "optimizer: `beta2` is 1, but must be at least 0 and below 1",
    );
    assert_eq!(params, [1.0, 2.0]);
}

/// A step that threads share, over lengths around their parts.
#[test]
fn shared_steps_have_the_same_bits() {
    fn shared<O: Optimizer<f32>>(make: impl Fn() -> O) {
        for len in [0, 1, (1 << 15) - 1, 1 << 15, (1 << 15) + 1, 70_000, 3 << 16, (1 << 18) + 17] {
            let grads: Vec<f32> = (0..len).map(|i| ((i * 7919) % 1009) as f32 / 504.0 - 1.0).collect();
            let (mut one, mut all) = (make(), make());
            let (mut params, mut of_all) = (grads.clone(), grads.clone());
            for _ in 0..3 {
                one.step(&mut params, &grads).unwrap();
                all.par_step(&mut of_all, &grads).unwrap();
            }
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert!(bits(&params) == bits(&of_all) && (len == 0 || params != grads), "{len}");
            for state in 0..one.state_names().len() {
                assert!(bits(one.state(state)) == bits(all.state(state)), "{len}");
            }
            assert_eq!((one.steps(), all.steps()), (3, 3));
        }
        // What a step refuses, a shared one does.
        let different = OptimizerError::Lengths { params: 2, grads: 3 };
        assert_eq!(make().par_step(&mut [0.0; 2], &[0.0; 3]), Err(different));
    }
    shared(|| Sgd::new(0.05).weight_decay(0.1));
    shared(|| Sgd::new(0.05).momentum(0.9));
    shared(|| Sgd::new(0.05).momentum(0.9).nesterov(true));
    shared(|| Adam::new(0.01));
    shared(|| AdamW::new(0.01));
}
