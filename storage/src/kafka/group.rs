//! A topic read by a group of processes, each some of its partitions.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use ports::{GroupEvent, GroupSource, Log, Polled, PortError, Position, Record};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::config::KafkaConfig;
use super::context::{Change, GroupContext, News, SourceContext, unassign};
use super::reader::{Broken, Partition, Reader, Stage, ask, passes};

const GONE_ADVICE: &str = "its retention or a deletion removed records that the partition's state doesn't cover; restore the \
                           topic's data, or remove that partition's state to rebuild it from what the topic still holds";
const AHEAD_ADVICE: &str = "it was created anew or lost its end; restore the topic's data, or remove that partition's state to \
                            rebuild it from what the topic holds";

/// A log's topic as a member of a classic consumer group reads it, with cooperative-sticky assignment. The
/// group keeps no offsets: none is committed, and nothing of a partition is fetched before
/// [`start`](GroupSource::start) says from where.
///
/// Who owns what is the group's to say, but a member may hear of a loss late, e.g. after it was stopped for
/// longer than its session: what it writes meanwhile has to be fenced off elsewhere.
///
/// While revoked partitions wait for their [`release`](GroupSource::release) the client fetches nothing of
/// the others either, so they should be released soon. Partitions that are revoked together are given away
/// together, once the last of them is released.
///
/// While the broker is away it delivers nothing and tries on; if that takes longer than the session, the
/// member loses its partitions and gets some once the broker is back.
///
/// Dropping it leaves the group, so that others get its partitions at once; a member with a name of its own
/// ([`GroupConfig::instance`](super::GroupConfig::instance)) keeps them for as long as its session lasts.
pub struct KafkaGroupSource {
    reader: Reader<GroupContext>,
    news: Receiver<News>,
}

impl KafkaGroupSource {
    /// Joins the group of a log's topic.
    ///
    /// # Errors
    ///
    /// When a setting is wrong, the broker can't be reached or there is no such topic.
    pub fn open(config: &KafkaConfig, log: Log) -> Result<Self, PortError> {
        let (sender, news) = mpsc::channel();
        let context = GroupContext::of(SourceContext::of(config.topic(log)), sender);
        let mut reader = Reader::create(config, &config.member()?, context)?;
        join(&mut reader).map_err(|error| reader.cannot_open(config, error))?;
        Ok(Self { reader, news })
    }

    /// Tells what the last poll of the client brought.
    fn tell(&mut self, each: &mut dyn FnMut(GroupEvent<'_>)) -> Result<(), PortError> {
        while let Ok(news) = self.news.try_recv() {
            let (change, mut numbers) = match news {
                News::Happened(change, numbers) => (change, numbers),
                News::Failed(error) => {
                    let broken = self.reader.broken.insert(error.into()).clone();
                    return Err(self.reader.failure(&broken));
                }
            };
            match change {
                Change::Assigned => self.set(&numbers, Stage::Waiting),
                Change::Revoked | Change::Lost => {
                    // What it was told to have lost already needs an answer only.
                    let (known, news) = numbers.into_iter().partition(|&number| self.stage(number) == Stage::Foreign);
                    numbers = news;
                    if change == Change::Revoked {
                        self.set(&known, Stage::Released);
                        self.set(&numbers, Stage::Revoked);
                        self.give_away_if_released().map_err(|error| self.reader.failure(&error.into()))?;
                    } else {
                        self.set(&numbers, Stage::Foreign);
                    }
                }
            }
            // A group rebalances without anything to do for this member, too.
            if !numbers.is_empty() {
                each(match change {
                    Change::Assigned => GroupEvent::Assigned(&numbers),
                    Change::Revoked => GroupEvent::Revoked(&numbers),
                    Change::Lost => GroupEvent::Lost(&numbers),
                });
            }
        }
        Ok(())
    }

    /// The client left the group because nobody polled: others own everything by now. The client says so itself,
    /// but not before it is through with a rebalance that it waited in, and until then would go on to fetch.
    fn lose_all(&mut self, each: &mut dyn FnMut(GroupEvent<'_>)) -> Result<(), PortError> {
        tracing::warn!(source = self.reader.what, "left the group, because it wasn't polled for too long; joining it again");
        let lost = self.in_stage(|stage| matches!(stage, Stage::Waiting | Stage::Started | Stage::Revoked));
        self.give_away().map_err(|error| self.reader.failure(&error.into()))?;
        self.set(&lost, Stage::Foreign);
        if !lost.is_empty() {
            each(GroupEvent::Lost(&lost));
        }
        Ok(())
    }

    fn stage(&mut self, number: u32) -> Stage {
        self.reader.partition(number).map_or(Stage::Foreign, |partition| partition.stage)
    }

    fn set(&mut self, numbers: &[u32], stage: Stage) {
        for &number in numbers {
            if let Some(partition) = self.reader.partition(number) {
                partition.stage = stage;
            }
        }
    }

    fn in_stage(&self, wanted: impl Fn(Stage) -> bool) -> Vec<u32> {
        let numbered = (0..).zip(&self.reader.partitions);
        numbered.filter(|(_, partition)| wanted(partition.stage)).map(|(number, _)| number).collect()
    }

    /// Gives away what was revoked once all of it is released: the group takes the first answer for the whole one.
    fn give_away_if_released(&mut self) -> KafkaResult<()> {
        if self.in_stage(|stage| stage == Stage::Revoked).is_empty() { self.give_away() } else { Ok(()) }
    }

    /// Gives away what was revoked.
    fn give_away(&mut self) -> KafkaResult<()> {
        let numbers = self.in_stage(|stage| matches!(stage, Stage::Revoked | Stage::Released));
        if !numbers.is_empty() {
            unassign(&self.reader.consumer, &numbers)?;
            self.set(&numbers, Stage::Foreign);
        }
        Ok(())
    }

    fn assign(&self, number: u32, next: u64) -> KafkaResult<()> {
        let unknown = |_| KafkaError::MetadataFetch(RDKafkaErrorCode::InvalidPartitions);
        let (number, next) = (i32::try_from(number).map_err(unknown)?, i64::try_from(next).map_err(unknown)?);
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(&self.reader.watch().topic, number, Offset::Offset(next))?;
        self.reader.consumer.incremental_assign(&assignment)
    }
}

impl GroupSource for KafkaGroupSource {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(GroupEvent<'_>)) -> Result<Polled, PortError> {
        // News end the client's poll, so that no record comes between them and their telling.
        let polled = self.reader.poll(max_records, timeout, &mut |record: Record<'_>| each(GroupEvent::Record(record)))?;
        self.reader.check()?;
        self.tell(each)?;
        if std::mem::take(&mut self.reader.expelled) {
            self.lose_all(each)?;
        }
        Ok(Polled { records: polled.records, at_end: self.reader.at_end() })
    }

    /// As the port says; a partition that isn't waiting for its start is left as it is, because it may have been
    /// taken away just now. Waits for a broker that is away, up to [`KafkaConfig::timeout`].
    fn start(&mut self, number: u32, from: Option<u64>) -> Result<(), PortError> {
        if self.reader.partition(number).is_none_or(|partition| partition.stage != Stage::Waiting) {
            return Ok(());
        }
        let what = self.reader.what.clone();
        let position = Position::Record { partition: number, offset: from.unwrap_or(0) };
        let fail = |error: KafkaError| PortError::Read {
            what: what.clone(),
            position: position.clone(),
            source: Box::new(Broken::from(error)),
        };
        let (low, high) = ask(self.reader.timeout, passes, || self.reader.watermarks(number)).map_err(fail)?;
        let next = from.unwrap_or(low);
        if next < low {
            return Err(PortError::Gone { what, position, advice: GONE_ADVICE });
        }
        if next > high {
            return Err(PortError::Ahead { what, end: high, position, advice: AHEAD_ADVICE });
        }
        // To assign would make the client forget the loss before a poll tells it.
        if self.reader.consumer.assignment_lost() {
            return Ok(());
        }
        self.assign(number, next).map_err(fail)?;
        self.reader.watch().set_end(number, high);
        if let Some(partition) = self.reader.partition(number) {
            *partition = Partition::started(next, high);
        }
        Ok(())
    }

    fn release(&mut self, partitions: &[u32]) -> Result<(), PortError> {
        let mut revoked = partitions.to_vec();
        revoked.retain(|&number| self.stage(number) == Stage::Revoked);
        self.set(&revoked, Stage::Released);
        self.give_away_if_released().map_err(|error| self.reader.failure(&error.into()))
    }

    fn partitions(&self) -> u32 {
        self.reader.count()
    }

    fn lag_records(&self) -> Option<u64> {
        self.reader.lag_records()
    }
}

impl Drop for KafkaGroupSource {
    /// The client leaves the group when it is dropped, and waits until everything is given away.
    fn drop(&mut self) {
        self.reader.consumer.context().leaving.store(true, Ordering::Relaxed);
        if let Err(error) = self.give_away() {
            tracing::warn!(source = self.reader.what, %error, "cannot give partitions away; the group takes them after a while");
        }
    }
}

impl fmt::Debug for KafkaGroupSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaGroupSource").field("what", &self.reader.what).field("next", &self.reader.next_offsets()).finish()
    }
}

/// Looks up how many partitions there are and subscribes to the topic; a later poll assigns some.
fn join(reader: &mut Reader<GroupContext>) -> KafkaResult<()> {
    let soon = |code| code == RDKafkaErrorCode::LeaderNotAvailable;
    let count = ask(reader.timeout, soon, || reader.count_partitions())?;
    reader.set_partitions((0..count).map(|_| Partition::default()).collect());
    reader.consumer.subscribe(&[&reader.watch().topic])
}
