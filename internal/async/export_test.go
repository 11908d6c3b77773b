package async

// DeadBytes is what is kept of the dead letters of a stage.
const DeadBytes = deadBytes
