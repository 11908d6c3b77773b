const express = require('express');
const api = require('./routes/api');

const app = express();

app.use('/api', api);
app.use(express.static('public'));
app.get('/hello/:name', (req, res) => res.send(`Hello, ${req.params.name}!`));

const server = app.listen(process.env.PORT || 3000, () => {
  console.log(`listening on port ${server.address().port}`);
});

process.on('SIGTERM', () => server.close(() => process.exit(0)));
