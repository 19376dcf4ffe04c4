"""How quickly the studio's page answers: in a real browser, against a real server."""
