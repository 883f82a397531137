mod later;
mod many;
mod notices;
mod random;
mod record;
mod stories;
mod story;
