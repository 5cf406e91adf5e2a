//! What the guards may be tuned on.

use super::Templates;

pub(crate) const TEMPLATES: Templates =
    Templates { languages: [ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH], neutral: &[LOGS, TABLES, CODE, RECORDS, SECRETS] };

const ENGLISH: &[&str] = &[
    "Dear {name}, thank you for your letter of {date}. We have noted order {order}.",
    "You can reach me at {email} or call {phone} after {time}.",
    "Please transfer {amount} to IBAN {iban}.",
    "My card number is {card} and it was charged twice, {amount} each.",
    "I was born on {dob} and live at {address}.",
    "My id for the form is: {id}",
    "Passport number: {passport}, driving licence number {licence}.",
    "Regards,\n{name}\n{address}\nTel: {phone}",
    "The book, ISBN {isbn}, came with invoice {order}; nothing else is missing.",
    "hey {handle}, did you see {email}? version {version} is out since {date}",
    "The attempt came from {ip}, I think.",
];

const GERMAN: &[&str] = &[
    "Sehr geehrte Frau {name}, vielen Dank für Ihre Bestellung {order} vom {date}.",
    "Sie erreichen mich unter {phone} oder per Mail an {email}.",
    "Bitte überweisen Sie {amount} auf das Konto {iban}.",
    "Meine Kreditkarte {card} wurde zweimal belastet.",
    "Ich bin geboren am {dob} und wohne in der {address}.",
    "Steuer-ID: {id}",
    "Reisepass {passport}, Führerschein Nr. {licence}",
    "Mit freundlichen Grüßen\n{name}\n{address}\nTelefon {phone}",
    "Artikel {isbn}, Rechnung {order}, Betrag {amount}.",
    "Der Zugriff kam von {ip} um {time}.",
];

const FRENCH: &[&str] = &[
    "Chère Madame {name}, merci pour votre commande {order} du {date}.",
    "Vous pouvez me joindre au {phone} ou par courriel : {email}.",
    "Merci de virer {amount} sur le compte {iban}.",
    "Ma carte {card} a été débitée deux fois.",
    "Je suis née le {dob} et j'habite au {address}.",
    "Numéro de sécurité sociale : {id}",
    "Passeport n° {passport}, permis de conduire {licence}",
    "Cordialement,\n{name}\n{address}\nTél. {phone}",
    "Le livre {isbn} manque dans la facture {order}.",
    "La connexion venait de {ip}.",
];

const SPANISH: &[&str] = &[
    "Estimada señora {name}: gracias por su pedido {order} del {date}.",
    "Puede llamarme al {phone} o escribir a {email}.",
    "Por favor, transfiera {amount} a la cuenta {iban}.",
    "Mi tarjeta {card} fue cobrada dos veces.",
    "Nací el {dob} y vivo en {address}.",
    "DNI: {id}",
    "Pasaporte {passport}, permiso de conducir {licence}",
    "Saludos,\n{name}\n{address}\nTeléfono: {phone}",
    "Falta el libro {isbn} de la factura {order}.",
    "El acceso vino de {ip}.",
];

const ITALIAN: &[&str] = &[
    "Gentile signora {name}, grazie per il suo ordine {order} del {date}.",
    "Può chiamarmi al cellulare {phone} o scrivere a {email}.",
    "Si prega di versare {amount} sul conto {iban}.",
    "La mia carta {card} è stata addebitata due volte.",
    "Sono nato il {dob} e abito in {address}.",
    "Codice fiscale: {id}",
    "Passaporto {passport}, patente di guida {licence}",
    "Cordiali saluti,\n{name}\n{address}\nTel. {phone}",
    "Manca il libro {isbn} della fattura {order}.",
    "L'accesso veniva da {ip}.",
];

const DUTCH: &[&str] = &[
    "Beste mevrouw {name}, dank voor uw bestelling {order} van {date}.",
    "U kunt mij bellen op {phone} of mailen naar {email}.",
    "Maak {amount} over op rekening {iban}.",
    "Mijn creditcard {card} is twee keer belast.",
    "Ik ben geboren op {dob} en woon aan de {address}.",
    "BSN: {id}",
    "Paspoort {passport}, rijbewijs {licence}",
    "Met vriendelijke groet,\n{name}\n{address}\nTelefoon: {phone}",
    "Het boek {isbn} van factuur {order} ontbreekt.",
    "De toegang kwam van {ip}.",
];

const LOGS: &[&str] = &[
    "{date} {time} INFO login user={email} ip={ip} session={uuid}",
    "{time} WARN dhcp lease for {mac} from {private} expired",
    "{ip} - - [{time}] \"GET /orders/{order} HTTP/1.1\" 200 {epoch}",
    "build {version} at commit {hash}, request {uuid}",
    "{epoch} ERROR card check failed for {badcard}",
];

const TABLES: &[&str] = &[
    "name,email,phone,iban\n{name},{email},{phone},{iban}",
    "id;date;amount;account\n{order};{date};{amount};{iban}",
    "order,isbn,version\n{order},{isbn},{version}",
    "| customer | {name} | card | {card} |",
];

const CODE: &[&str] = &[
    "// host {private}, mirrors {ip}, since {version}",
    "# see {file} and commit {hash}; ask {email}",
    "# GPS: {geo}",
    "let weights = [{array}]; // {order}",
    "DATABASE_URL={urlcred}/orders",
    "/* id {uuid}, isbn {isbn}, epoch {epoch} */",
    "wallet: {crypto}, contract {eth}",
];

const RECORDS: &[&str] = &[
    "PESEL: {pl_pesel}; CPF {br_cpf}; CNPJ {br_cnpj}",
    "Aadhaar number {in_aadhaar}, SIN {ca_sin}",
    "Personnummer {se_personnummer}, fødselsnummer {no_fnr}, hetu {fi_hetu}",
    "AHV {ch_ahv}, rijksregisternummer {be_national_number}, NIF: {pt_nif}",
    "account {badiban} is closed, ticket {order}",
];

const SECRETS: &[&str] = &[
    "password = \"{password}\"",
    "API_KEY={apikey}",
    "aws_access_key_id = {aws}",
    "export GITHUB_TOKEN={github}",
    "password: {placeholder}",
    "sha256 {hash}",
];
