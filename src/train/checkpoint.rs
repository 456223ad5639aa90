//! Checkpoints: a training, as a file.
//!
//! A checkpoint is a safetensors file: the network's tensors under their names, the optimizer's state as flat tensors
//! `optimizer/<name>` of one element per parameter (no layer's name has a slash), and a note of lines `field = value`.
//! The state lies in the order of the tensors and of their elements in files, as if the tensors were written one after the other.

use core::fmt::Debug;
use std::path::{Path, PathBuf};

use crate::Scalar;
use crate::info::TensorInfo;
use crate::names::Names;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::schedule::Schedule;
use crate::weights::{self, Entry, Named, Source, WeightsError};

use super::TrainError;
use super::fit::Plan;

/// The note's name in the file.
const NOTE: &str = "tenonet.checkpoint";
/// Rises when the meaning of a field changes.
const FORMAT: u32 = 1;
/// Epochs that were done: what differs from one checkpoint of a training to the next.
const DONE: &str = "epochs_done";
/// How inputs were changed; `()` if not at all.
const AUGMENTATION: &str = "augmentation";

/// The checkpoints of one training.
pub(super) struct Checkpoints {
    /// Where they are written, if at all.
    place: Option<Place>,
    /// What identifies the training: fields and values, in the order in which they are compared.
    identity: Vec<(String, String)>,
    steps_per_epoch: u64,
}

impl Checkpoints {
    pub(super) fn new<T: Scalar, O: Optimizer<T>, S: Schedule>(
        plan: &Plan, optimizer: &O, schedule: &S, augmentation: &dyn Debug, path: Option<PathBuf>,
    ) -> Result<Self, TrainError> {
        let mut identity = Vec::new();
        let mut field = |name: &str, value: String| identity.push((name.to_owned(), value));
        field("format", FORMAT.to_string());
        field("samples", plan.samples.to_string());
        field("seed", plan.seed.to_string());
        field("batch", plan.batch.to_string());
        field("lanes", plan.lanes.to_string());
        field("optimizer", optimizer.kind().to_owned());
        // `Debug` prints a float with all the digits that tell it from others.
        optimizer.settings(&mut |name, value| field(&format!("optimizer.{name}"), format!("{value:?}")));
        field("schedule", format!("{schedule:?}"));
        if schedule.depends_on_total() {
            field("epochs", plan.epochs.to_string());
        }
        field(AUGMENTATION, format!("{augmentation:?}"));
        let place = path.map(Place::of).transpose()?;
        Ok(Checkpoints { place, identity, steps_per_epoch: plan.steps_per_epoch })
    }

    /// Writes the checkpoint after so many epochs.
    pub(super) fn write<N: Network, O: Optimizer<N::Scalar>>(
        &self, epochs_done: u64, net: &N, optimizer: &O,
    ) -> Result<(), TrainError> {
        let path = match &self.place {
            None => return Ok(()),
            Some(Place::File(path)) => path.clone(),
            Some(Place::Folder(path)) => path.join(format!("epoch-{epochs_done:04}.safetensors")),
        };
        let mut contents = declared::<N>().contents(net.flat());
        for (index, name) in optimizer.state_names().iter().enumerate() {
            let data = optimizer.state(index);
            let parts = parameters::<N>().collect();
            contents.entries.push(Entry { name: state_name(name), shape: vec![data.len()], data, parts });
        }
        let mut note = String::new();
        for (field, value) in &self.identity {
            note.push_str(&format!("{field} = {value}\n"));
        }
        note.push_str(&format!("{DONE} = {epochs_done}\nstep = {}\n", epochs_done * self.steps_per_epoch));
        note.push_str(&format!("optimizer.steps = {}\n", optimizer.steps()));
        contents.note = Some((NOTE, note));
        Ok(weights::write_file(&path, &contents)?)
    }

    /// Brings network and optimizer to where a checkpoint was written; yields the epochs that were done. Unless all fits, nothing is changed.
    pub(super) fn resume<N: Network, O: Optimizer<N::Scalar>>(
        &self, path: &Path, net: &mut N, optimizer: &mut O,
    ) -> Result<u64, TrainError> {
        let path = if path.is_dir() { last_in(path)? } else { path.to_owned() };
        let bytes = weights::read_file(&path)?;
        let source = Source::new(&path.display().to_string(), &bytes)?;
        let no_checkpoint = |reason: String| TrainError::NotACheckpoint { path: path.clone(), reason };
        let note = source.note(NOTE)?.ok_or_else(|| no_checkpoint("it has no note of a training".to_owned()))?;
        let note = Note(&note);
        for (field, wanted) in &self.identity {
            // Files of before there was augmentation are those of trainings without.
            let found = note.get(field).unwrap_or(if field == AUGMENTATION { "()" } else { "not there" });
            if found != wanted {
                let (field, found, wanted) = (field.clone(), found.to_owned(), wanted.clone());
                return Err(TrainError::Resume { path: path.clone(), field, found, wanted });
            }
        }
        let number = |field: &str| {
            let text = note.get(field).unwrap_or("not there");
            text.parse::<u64>().map_err(|_| no_checkpoint(format!("`{field}` is {text}, not a number")))
        };
        let (done, steps) = (number(DONE)?, number("optimizer.steps")?);

        let names: Vec<String> = optimizer.state_names().iter().map(|name| state_name(name)).collect();
        let flat = [N::PARAMS];
        let state = names.iter().map(|name| (name.as_str(), &flat[..]));
        let tensors = N::TENSORS.iter().map(|t| (t.name, t.shape)).chain(state);
        source.check::<N::Scalar>(N::NAME, &Names::DECLARED, tensors)?;
        // From here on nothing is refused.
        declared::<N>().load_checked(net.flat_mut(), &source)?;
        for (index, name) in names.iter().enumerate() {
            source.copy(name, parameters::<N>(), optimizer.state_mut(index))?;
        }
        optimizer.set_steps(steps);
        Ok(done)
    }
}

/// A network's tensors, under its own names.
fn declared<N: Network>() -> Named<'static> {
    Named { network: N::NAME, tensors: N::TENSORS, names: &Names::DECLARED }
}

/// The tensors that an optimizer has state for, in the order of memory.
fn parameters<N: Network>() -> impl Iterator<Item = &'static TensorInfo> {
    N::TENSORS.iter().filter(|tensor| tensor.range().end <= N::PARAMS)
}

/// Where checkpoints are written.
enum Place {
    /// One file, replaced after every epoch.
    File(PathBuf),
    /// A file for each epoch.
    Folder(PathBuf),
}

impl Place {
    /// A path with an extension is a file in a folder that exists; any other is a folder, made if it is not there.
    ///
    /// What cannot be written to is told here, before an epoch is spent.
    fn of(path: PathBuf) -> Result<Self, WeightsError> {
        let folder = path.is_dir() || path.extension().is_none();
        let ready = if folder {
            std::fs::create_dir_all(&path)
        } else {
            std::fs::read_dir(crate::atomic::folder_of(&path)).map(|_| ())
        };
        match ready {
            Err(source) => Err(WeightsError::Write { path, source }),
            Ok(()) => Ok(if folder { Place::Folder(path) } else { Place::File(path) }),
        }
    }
}

/// A note's lines.
struct Note<'a>(&'a str);

impl<'a> Note<'a> {
    fn get(&self, field: &str) -> Option<&'a str> {
        self.0
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .find(|(name, _)| *name == field)
            .map(|(_, value)| value)
    }
}

fn state_name(name: &str) -> String {
    format!("optimizer/{name}")
}

/// The last epoch's checkpoint in a folder.
fn last_in(folder: &Path) -> Result<PathBuf, TrainError> {
    let unreadable = |source| WeightsError::Read { path: folder.into(), source };
    let mut last = None;
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("epoch-")?.strip_suffix(".safetensors")?.parse::<u64>().ok());
        last = last.max(number.map(|number| (number, folder.join(&name))));
    }
    last.map(|(_, path)| path).ok_or_else(|| TrainError::NoCheckpoint { path: folder.to_owned() })
}
