import GRDB

/// The tables of `journal.sqlite`, as the steps that lead to them.
///
/// The file's `user_version` counts the steps it has been through; a file is brought up to date when it is opened. A
/// step that was ever released stays as it is: what comes later is a step of its own.
enum Schema {
    /// Marks the file as a journal, in the header of the SQLite file: "rrrj".
    static let applicationID = 0x7272_726A

    /// Step n leads from version n to version n + 1.
    static let steps = [version1, version2, version3, version4, version5, version6, version7]

    private static let version1 = """
        -- A job that was handed in and is not forgotten.
        CREATE TABLE job (
            -- Never given to another job, even when this one is forgotten: sqlite_sequence holds the largest ever.
            number INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number > 0),
            -- SHA-256 of the canonical text.
            hash BLOB NOT NULL CHECK (length(hash) = 32),
            -- The canonical job, UTF-8.
            text BLOB NOT NULL,
            -- Seconds since 1970.
            submitted_at REAL NOT NULL,
            -- Larger ones go first.
            priority INTEGER NOT NULL,
            -- Its part of the workers among jobs of the same priority, relative to theirs.
            share REAL NOT NULL,
            -- Seconds after which it is given up; NULL for no limit.
            time_limit REAL,
            -- Seconds between checkpoints of a block; NULL for the coordinator's own.
            checkpoint_interval REAL,
            -- 1 if nobody need watch it.
            is_detached INTEGER NOT NULL CHECK (is_detached IN (0, 1)),
            -- 1 if none of its blocks is to be handed out.
            is_paused INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
            -- How it ended: finished, failed or cancelled; NULL while it waits or runs.
            outcome TEXT CHECK (outcome IN ('finished', 'failed', 'cancelled')),
            -- Why it failed, for people.
            failure TEXT NOT NULL DEFAULT '',
            -- How long it took, in seconds; NULL while it waits or runs.
            seconds_elapsed REAL
        ) STRICT;

        -- A worker that did something for a job, as the provenance tells of it.
        CREATE TABLE worker (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            name TEXT NOT NULL,
            -- What it told of itself; empty and 0 as long as only its name is known.
            host TEXT NOT NULL DEFAULT '',
            process INTEGER NOT NULL DEFAULT 0,
            slots INTEGER NOT NULL DEFAULT 0,
            version TEXT NOT NULL DEFAULT '',
            fingerprint TEXT NOT NULL DEFAULT '',
            UNIQUE (job, name)
        ) STRICT;

        -- A block whose rows are in the staging files. There may be millions: the rows are short and lie in order.
        CREATE TABLE finished (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            -- The attempt that brought the result; above 1 for a block that ran again.
            attempt INTEGER NOT NULL,
            -- worker.id. No foreign key: the check would go through this whole table when a worker's row goes.
            worker INTEGER NOT NULL,
            -- That the worker computed.
            seconds REAL NOT NULL,
            gradient_evaluations INTEGER NOT NULL,
            PRIMARY KEY (job, block)
        ) STRICT, WITHOUT ROWID;

        -- The latest checkpoint of a block that is not finished.
        CREATE TABLE checkpoint (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            -- The attempt that got so far.
            attempt INTEGER NOT NULL,
            -- Of the block's steps.
            steps_done INTEGER NOT NULL,
            -- The state of its chains, as workers write it. The last column, so that it isn't read for the others.
            state BLOB NOT NULL,
            -- With a rowid all the same: long states don't belong into an index.
            UNIQUE (job, block)
        ) STRICT;

        -- An attempt that took a block down.
        CREATE TABLE report (
            -- In the order of what happened.
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            attempt INTEGER NOT NULL,
            -- The worker's name.
            worker TEXT NOT NULL,
            -- For people.
            reason TEXT NOT NULL
        ) STRICT;
        CREATE INDEX report_of_block ON report (job, block);

        -- A finished block needs neither.
        CREATE TRIGGER block_finished AFTER INSERT ON finished BEGIN
            DELETE FROM checkpoint WHERE job = NEW.job AND block = NEW.block;
            DELETE FROM report WHERE job = NEW.job AND block = NEW.block;
        END;
        """

    private static let version2 = """
        -- Of the block's rows, as BlockRecord.checksum tells, bit by bit; NULL for those that came before there was one.
        ALTER TABLE finished ADD COLUMN checksum INTEGER;
        """

    private static let version3 = """
        -- Of a state that is long, what comes before checkpoint.state: pieces that arrived one by one. Those with fewer
        -- steps than the checkpoint are of no use, those with more are of one that is on its way.
        CREATE TABLE checkpoint_piece (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            -- Of the block's steps, as in checkpoint.
            steps_done INTEGER NOT NULL,
            -- The place of its first byte in the state.
            offset INTEGER NOT NULL CHECK (offset >= 0),
            data BLOB NOT NULL,
            UNIQUE (job, block, steps_done, offset)
        ) STRICT;
        CREATE TRIGGER pieced_block_finished AFTER INSERT ON finished BEGIN
            DELETE FROM checkpoint_piece WHERE job = NEW.job AND block = NEW.block;
        END;
        """

    private static let version4 = """
        -- Of a state that is long, what comes before checkpoint.state: pieces that arrived one by one. Those of the
        -- checkpoint's attempt and steps are its own; those with more steps are of a state that is on its way, of which
        -- every attempt has one: two workers may run a block.
        CREATE TABLE state_piece (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            -- As in checkpoint.
            attempt INTEGER NOT NULL,
            steps_done INTEGER NOT NULL,
            -- The place of its first byte in the state.
            offset INTEGER NOT NULL CHECK (offset >= 0),
            data BLOB NOT NULL,
            UNIQUE (job, block, attempt, steps_done, offset)
        ) STRICT;
        -- The place of checkpoint.state in the whole: the bytes of the pieces before.
        ALTER TABLE checkpoint ADD COLUMN state_offset INTEGER NOT NULL DEFAULT 0;
        UPDATE checkpoint SET state_offset = (
            SELECT COALESCE(SUM(LENGTH(data)), 0) FROM checkpoint_piece AS piece
                WHERE piece.job = checkpoint.job AND piece.block = checkpoint.block
                    AND piece.steps_done = checkpoint.steps_done);
        INSERT INTO state_piece SELECT piece.job, piece.block, checkpoint.attempt, piece.steps_done, offset, data
            FROM checkpoint_piece AS piece JOIN checkpoint USING (job, block, steps_done);
        DROP TRIGGER pieced_block_finished;
        DROP TABLE checkpoint_piece;
        CREATE TRIGGER pieced_block_finished AFTER INSERT ON finished BEGIN
            DELETE FROM state_piece WHERE job = NEW.job AND block = NEW.block;
        END;
        """

    private static let version5 = """
        -- Bytes at the start of the whole state that no later one changes.
        ALTER TABLE checkpoint ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
        -- Those bytes, in pieces without gaps: they stay while checkpoints of the block replace one another.
        CREATE TABLE settled_piece (
            job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
            block INTEGER NOT NULL CHECK (block >= 0),
            -- The place of its first byte in the state.
            offset INTEGER NOT NULL CHECK (offset >= 0),
            data BLOB NOT NULL,
            UNIQUE (job, block, offset)
        ) STRICT;
        CREATE TRIGGER checkpoint_gone AFTER DELETE ON checkpoint BEGIN
            DELETE FROM settled_piece WHERE job = OLD.job AND block = OLD.block;
        END;
        """

    private static let version6 = """
        -- 1 if nobody has handed it in: another job needs what it finds.
        ALTER TABLE job ADD COLUMN is_preliminary INTEGER NOT NULL DEFAULT 0 CHECK (is_preliminary IN (0, 1));
        """

    private static let version7 = """
        -- 1 if the rows are to come a second time from somebody else, 2 if they have, and were the same.
        ALTER TABLE finished ADD COLUMN verification INTEGER NOT NULL DEFAULT 0 CHECK (verification IN (0, 1, 2));
        -- Who answers for the worker.
        ALTER TABLE worker ADD COLUMN party TEXT NOT NULL DEFAULT '';
        -- Who answers for the worker that it is of, where results are verified; empty elsewhere.
        ALTER TABLE checkpoint ADD COLUMN party TEXT NOT NULL DEFAULT '';
        """

    /// The version of a file; 0 for an empty one.
    ///
    /// Throws `.newer` for a file of a later program and `.malformed` for one that is no journal. Writes nothing.
    static func version(of db: Database, path: String, latest: Int) throws -> Int {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let mark = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        let isEmpty = mark == 0 && version == 0 && tables == 0
        guard isEmpty || (mark == applicationID && version > 0) else {
            throw JournalError(.malformed, path: path, reason: "an SQLite file, but not a journal of rrr-coordinator")
        }
        guard version <= latest else {
            throw JournalError(
                .newer, path: path,
                reason: "version \(version) of the journal, of which this program knows up to \(latest); "
                    + "use a newer rrr-coordinator, or another state folder")
        }
        return version
    }

    /// Brings a file of that version up to date, all the way or not at all.
    static func migrate(_ db: Database, from version: Int, steps: [String]) throws {
        guard version < steps.count else { return }
        try db.inTransaction(.immediate) {
            for step in steps[version...] { try db.execute(sql: step) }
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(steps.count)")
            return .commit
        }
    }
}
