mod later;
mod many;
mod random;
mod record;
mod stories;
mod story;
