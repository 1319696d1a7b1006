// A server that does not start, and says why.
console.error("the database is of a newer version");
process.exitCode = 1;
