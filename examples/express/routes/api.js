const { Router } = require('express');

const router = Router();

router.get('/time', (req, res) => res.json({ time: new Date().toISOString() }));

module.exports = router;
