(id) => { if (innerWidth <= 640) document.getElementById(id).scrollIntoView() }
